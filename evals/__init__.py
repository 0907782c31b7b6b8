"""Golden cases, deterministic scorers and the runner that ends in ship or don't ship."""
