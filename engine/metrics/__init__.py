"""Semantic layer: QuerySpec, compile, guard, analyst answers, Overview figures, anomalies, drivers."""
