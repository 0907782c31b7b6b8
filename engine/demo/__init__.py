"""The demo bank: a seeded simulator with a published response model, and the clock it lives by."""
