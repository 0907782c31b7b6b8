"""Event contracts, the machine filter, the writer into the lake, and file sources."""
