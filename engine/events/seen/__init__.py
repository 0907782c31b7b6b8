"""Which event ids were received in the last days, and when messages were delivered."""
