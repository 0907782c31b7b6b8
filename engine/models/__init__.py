"""Propensity models: training in time order, honest measurement, storage, serving, contributions."""
