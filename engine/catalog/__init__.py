"""Offers, terms with versions, channels, campaigns, customers, consent."""
