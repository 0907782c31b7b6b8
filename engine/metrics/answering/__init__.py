"""Answering: from a parsed question to words, chart and table, each figure with its source."""
