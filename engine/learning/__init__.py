"""Experiments: stable assignment, group-sequential looks, promotion as a proposal, rollback."""
