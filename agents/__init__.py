"""Five specialists and the supervisor that routes among them."""
