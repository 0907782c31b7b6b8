"""Doors to the verdicts, the rules and the contact policy."""

from __future__ import annotations

import re

from langchain.tools import ToolRuntime, tool

from smart_reach.engine.catalog.words import CHANNEL_LABELS, Channel, OfferId
from smart_reach.engine.decisioning.contact.verdicts import answer
from smart_reach.tools.asked import request_of
from smart_reach.tools.content import cite
from smart_reach.tools.context import Artifact, Found, RunContext

Runtime = ToolRuntime[RunContext]


@tool(response_format="content_and_artifact")
def check_copy(
    text: str, runtime: Runtime, offer: OfferId | None = None, channel: Channel | None = None
) -> Found:
    """Check a piece of copy against the product terms, the brand guide and the legal rules.

    Args:
        text: The copy itself, word for word.
        offer: The offer it is about, when known.
        channel: The channel it is meant for; e-mail when not said.
    """
    medium = channel or runtime.state.get("brief", {}).get("channel") or "email"
    verdict = runtime.context.services.knowledge.check(text, offer, medium)
    findings = verdict["findings"]
    about = f" about the {verdict['offer'].replace('-', ' ')}" if verdict["offer"] else ""
    outcome = "this passes." if verdict["passed"] else "this may not go out as it stands."
    head = f"As {CHANNEL_LABELS[medium]} copy{about}, {outcome}"
    lines = [f"- {finding['reason']} ({finding['source']})" for finding in findings]
    repaired = verdict.get("repaired")
    tail = [f"Suggested wording: “{repaired}”"] if repaired and repaired != text else []
    citations = [
        {"title": finding["rule"], "text": finding["reason"], "source": finding["source"]}
        for finding in findings
    ]
    return "\n".join([head, *lines, *tail]), Artifact(citations=citations, trust="verified")


@tool(response_format="content_and_artifact")
def look_up_rule(query: str, runtime: Runtime) -> Found:
    """Look up a legal, brand or contact rule.

    Args:
        query: What the rule is about, in the user's own words.
    """
    passages = runtime.context.services.knowledge.search(query, kinds=("legal", "contact", "brand"), k=3)
    if not passages:
        return "No rule in the knowledge base is about that.", Artifact(citations=[])
    best = passages[0]
    return f"{best.title}: {best.text}", Artifact(
        citations=[cite(item) for item in passages], trust="verified"
    )


def named_channel(text: str) -> str | None:
    """The channel that a question names."""
    words = {"sms": "sms", "text": "sms", "texts": "sms", "push": "push", "email": "email", "e-mail": "email"}
    return next((words[word] for word in re.findall(r"[a-z-]+", text.lower()) if word in words), None)


@tool(response_format="content_and_artifact")
def contact_policy(runtime: Runtime) -> Found:
    """Say the contact policy in force: caps over rolling windows, quiet hours, suppression."""
    decisions = runtime.context.services.decisions
    policy, question = decisions.contact_policy(), request_of(runtime.state)
    verdict = answer(decisions.contacts.policy, question, named_channel(question))
    citation = {"title": "Contact policy", "text": policy.text, "source": policy.version}
    return verdict or policy.text, Artifact(citations=[citation], trust="verified", facts=policy.facts)
