"""Feature definitions and their values at a point in time."""
