"""From a source to a committed snapshot, exactly once."""
