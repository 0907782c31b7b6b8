"""A person's records: everything held can be exported, and erased without breaking the ledger."""
