"""The corpus (product terms, brand guide, legal and contact policies), its index, and reviewed copy."""
