"""Who may do what, who approved what, and the ledger that proves it."""
