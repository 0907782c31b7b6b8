"""Features as decisions read them: a memory-mapped snapshot and a small delta."""
