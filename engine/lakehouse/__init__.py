"""Iceberg tables for everything analytical; DuckDB reads the files of their snapshots."""
