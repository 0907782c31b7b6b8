"""What a record must look like: versioned contracts, JSON Schema, columnwise validation."""
