"""The Insights agent: questions about figures, trends, anomalies, changes and groups of customers."""

from __future__ import annotations

from smart_reach.agents.specialist import Specialist
from smart_reach.tools.insights import ask_metrics, explain_change, find_anomalies, find_segment

INSIGHTS = Specialist(
    name="insights",
    title="Insights agent",
    purpose="Questions about campaign figures, trends, anomalies, changes and groups of customers.",
    tools=(ask_metrics, explain_change, find_anomalies, find_segment),
)
