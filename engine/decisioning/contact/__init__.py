"""Contact: quiet hours and caps, the ledger of reserved places, what earlier contacts led to."""
