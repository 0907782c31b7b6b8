"""The Compliance agent: checks copy against legal, brand and contact rules, and looks rules up."""

from __future__ import annotations

from smart_reach.agents.specialist import Specialist
from smart_reach.tools.compliance import check_copy, contact_policy, look_up_rule

COMPLIANCE = Specialist(
    name="compliance",
    title="Compliance agent",
    purpose="Checks copy against legal, brand and contact rules, and looks rules up.",
    tools=(check_copy, contact_policy, look_up_rule),
)
