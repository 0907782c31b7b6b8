"""Aggregates kept beside the events; each equals the raw answer."""
