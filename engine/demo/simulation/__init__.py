"""The simulated bank: its people, what they do unasked, how they truly answer, and the past they share."""
