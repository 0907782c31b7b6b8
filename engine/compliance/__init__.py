"""Claims, rules, verdicts: whether a message may go out, where it breaks a rule, how to repair it."""
