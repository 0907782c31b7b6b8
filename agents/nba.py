"""The NBA agent: decides the next best action (offer, channel, window) of a customer or a segment."""

from __future__ import annotations

from smart_reach.agents.specialist import Specialist
from smart_reach.tools.nba import decide_customer, decide_segment

NBA = Specialist(
    name="nba",
    title="NBA agent",
    purpose="Decides the next best action (offer, channel, window) of a customer or a segment.",
    tools=(decide_customer, decide_segment),
)
