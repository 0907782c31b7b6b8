"""Doors to the knowledge and the copy: passages, drafts whose figures are term references."""

from __future__ import annotations

from typing import Any, Literal

from langchain.tools import ToolRuntime, tool

from smart_reach.engine.catalog.words import CHANNEL_LABELS, Channel, OfferId
from smart_reach.tools.context import Artifact, Found, RunContext

Tone = Literal["plain", "warm", "benefit-led"]
Runtime = ToolRuntime[RunContext]
WHICH = "For which offer?"


@tool(response_format="content_and_artifact")
def search_knowledge(query: str, runtime: Runtime) -> Found:
    """Look up product terms, brand guidance and legal passages.

    Args:
        query: What to look for, in the user's own words.
    """
    passages = runtime.context.services.knowledge.search(query, k=3)
    citations = [cite(passage) for passage in passages]
    if not citations:
        return "The knowledge base holds nothing on that.", Artifact(citations=[])
    best = passages[0]
    text = best.text if best.kind == "product" else f"{best.title}: {best.text}"
    return text, Artifact(citations=citations, trust="verified")


@tool(response_format="content_and_artifact")
def draft_variants(
    runtime: Runtime,
    offer: OfferId | None = None,
    channel: Channel | None = None,
    tone: Tone | None = None,
    count: int = 2,
) -> Found:
    """Draft message variants for an offer on a channel; every figure is a reference to a product term.

    Args:
        offer: The offer; left out, the one decided before.
        channel: The channel; left out, the one decided before, else e-mail.
        tone: The tone, when the user named one.
        count: How many variants, 1 to 4.
    """
    brief = runtime.state.get("brief", {})
    chosen, medium = offer or brief.get("offer"), channel or brief.get("channel") or "email"
    if chosen is None:
        medium_label = CHANNEL_LABELS[medium]
        offers = ("rewards card", "travel card", "personal loan", "home insurance", "savings account")
        asked = [f"Write {count} {medium_label} variants for the {offer}" for offer in offers]
        return WHICH, Artifact(clarification={"question": WHICH, "choices": asked})
    knowledge = runtime.context.services.knowledge
    variants = knowledge.draft(chosen, medium, tone=tone, count=count)
    artifact = Artifact(
        variants=variants,
        citations=[cite(passage) for passage in knowledge.search(chosen, offer_id=chosen, k=3)],
        brief={"offer": chosen, "channel": medium},
        trust="verified",
        facts=figures(variants),
    )
    label = CHANNEL_LABELS[medium]
    name = variants[0]["offer"]
    head = f"{len(variants)} {label} variants for {name}, each checked against the legal and brand rules:"
    return "\n\n".join([head, *(preview(variant) for variant in variants)]), artifact


def cite(passage: Any) -> dict[str, Any]:
    return {"title": passage.title, "text": passage.text, "source": passage.source}


def figures(variants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The figures of the copy as facts: each names the term and version that it shows."""
    return [
        {
            "id": f"{figure['term_id']}@{figure['version']}",
            "value": figure["text"],
            "display": figure["text"],
            "source": figure["source"],
        }
        for variant in variants
        for figure in variant["figures"]
    ]


def preview(variant: dict[str, Any]) -> str:
    """A variant as it will read, with its verdict."""
    rendered, verdict = variant["rendered"], variant["verdict"]
    head = f"**{variant['label']} · {variant['tone']}** — {'passes' if verdict['passed'] else 'needs work'}"
    return "\n".join(part for part in (head, rendered["subject"], rendered["body"], rendered["cta"]) if part)
