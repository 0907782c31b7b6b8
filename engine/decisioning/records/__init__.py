"""Records: what a decision found, said and stored, and how it is computed again."""
