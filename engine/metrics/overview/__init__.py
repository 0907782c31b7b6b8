"""The Overview page's figures."""

from smart_reach.engine.metrics.overview.filters import OverviewFilters
from smart_reach.engine.metrics.overview.page import csv_rows, overview, people

__all__ = ["OverviewFilters", "csv_rows", "overview", "people"]
