"""Routing: which specialist a request is for and which of its tools, learned from example requests."""
