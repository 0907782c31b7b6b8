"""The Content agent: drafts and adapts e-mail, push, SMS, in-app and social copy from product terms."""

from __future__ import annotations

from smart_reach.agents.specialist import Specialist
from smart_reach.tools.content import draft_variants, search_knowledge

CONTENT = Specialist(
    name="content",
    title="Content agent",
    purpose="Drafts and adapts e-mail, push, SMS, in-app and social copy from product terms.",
    tools=(draft_variants, search_knowledge),
)
