"""Online reads of features: a memory-mapped snapshot and a small log of newer rows beside it."""
