"""Thin doors from agents to the engine: argument model, call, error translation."""
