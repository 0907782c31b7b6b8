"""Feast as an optional back end for the same feature definitions."""
