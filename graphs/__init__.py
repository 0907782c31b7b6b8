"""The supervisor's conversation and the campaign graph (content → compliance → approval)."""
