"""The Overview page's figures."""

from smart_reach.engine.metrics.overview.page import OverviewFilters, csv_rows, overview, people

__all__ = ["OverviewFilters", "csv_rows", "overview", "people"]
