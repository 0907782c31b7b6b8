"""Iceberg itself: the catalog, tables, data files, snapshots and what their summaries say."""
