"""The door to knowledge and compliance: passages, drafts with verdicts, checks, repairs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Offer
from smart_reach.engine.catalog.words import require_channel
from smart_reach.engine.compliance.facts import TermFact, current_facts, facts_of
from smart_reach.engine.compliance.findings import Verdict
from smart_reach.engine.compliance.message import Message
from smart_reach.engine.compliance.verdict import (
    RenderedMessage,
    check,
    check_text,
    check_wording,
    has_own_words,
    render_message,
)
from smart_reach.engine.compliance.verdict import repaired as repair_fully
from smart_reach.engine.governance.edits import Recheck, Rechecker
from smart_reach.engine.workspace import Workspace
from smart_reach.knowledge.copy import bound_facts, draft_variants
from smart_reach.knowledge.embedder import Embedder
from smart_reach.knowledge.index import KnowledgeIndex, Passage
from smart_reach.knowledge.likely import likely_offer
from smart_reach.knowledge.rules import load_rules

Variant = dict[str, Any]
KEPT = ("id", "label", "tone", "offer_id", "channel", "subject", "body", "cta", "url", "figures")


class Knowledge:
    """Everything agents and the Content API ask of the corpus, at the workspace's own time."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    @cached_property
    def _index(self) -> KnowledgeIndex:
        return KnowledgeIndex(self._ws.db, Embedder())

    def search(
        self, query: str, *, kinds: Collection[str] | None = None, offer_id: str | None = None, k: int = 5
    ) -> list[Passage]:
        """Passages nearest in meaning, with the terms in force filled in."""
        found = self._index.search(query, kinds=kinds, offer_id=offer_id, k=k)
        now = self._ws.clock.now()
        terms: dict[str, TermFact] = {}
        with Session(self._ws.db) as session:
            for offer in {passage.offer_id for passage in found if passage.offer_id}:
                terms |= current_facts(session, offer, now)
        return [passage.shown(terms) for passage in found]

    def draft(self, offer_id: str, channel: str, *, tone: str | None = None, count: int = 2) -> list[Variant]:
        """Variants whose figures are term references, each as it reads and with its verdict."""
        with Session(self._ws.db) as session:
            drafts = draft_variants(session, offer_id, channel, tone=tone, n=count, at=self._ws.clock.now())
            name = self._offer_name(session, offer_id)
        return self.recheck([{**draft.as_json(), "offer": name} for draft in drafts])

    def recheck(self, variants: Sequence[Variant]) -> list[Variant]:
        """The same variants, read and judged anew."""
        with Session(self._ws.db) as session:
            return [self._judged(session, variant) for variant in variants]

    def repair(self, variants: Sequence[Variant]) -> list[Variant]:
        """Variants with every suggested repair applied, judged anew."""
        now, mended = self._ws.clock.now(), []
        with Session(self._ws.db) as session:
            for variant in variants:
                facts = facts_of(session, variant["offer_id"], now)
                message, _ = repair_fully(message_of(variant), facts, load_rules())
                copy = {"subject": message.subject, "body": message.body, "cta": message.cta}
                mended.append(self._judged(session, {**variant, **copy}))
        return mended

    def check(self, text: str, offer_id: str | None, channel: str) -> dict[str, Any]:
        """The verdict on plain text and the wording that would pass; without an offer, the likeliest one.

        Copy that fits no offer never passes: `offer` is None then, and the first finding asks for it.
        """
        require_channel(channel)
        offer, rules = offer_id or likely_offer(text, self._index), load_rules()
        if offer is None:
            return {**check_wording(text, channel, rules).as_json(), "offer": None, "repaired": None}
        with Session(self._ws.db) as session:
            facts = facts_of(session, offer, self._ws.clock.now())
        verdict = check_text(text, offer, channel, facts, rules)
        message, after = repair_fully(Message(offer, channel, None, text), facts, rules, raw=True)
        usable = after.passed and has_own_words(message, facts, rules, raw=True)
        return {**verdict.as_json(), "offer": offer, "repaired": message.body if usable else None}

    def _judged(self, session: Session, variant: Variant) -> Variant:
        facts = facts_of(session, variant["offer_id"], self._ws.clock.now())
        message = message_of(variant)
        verdict, rendered = check(message, facts, load_rules()), render_message(message, facts)
        return {**variant, **shown(verdict, rendered)}

    @staticmethod
    def _offer_name(session: Session, offer_id: str) -> str:
        offer = session.get(Offer, offer_id)
        return offer.name if offer else offer_id


def offer_names(ws: Workspace) -> list[str]:
    """`id: name` of every active offer."""
    with Session(ws.db) as session:
        rows = session.execute(select(Offer.id, Offer.name).where(Offer.active).order_by(Offer.id)).tuples()
        return [f"{offer_id}: {name}" for offer_id, name in rows]


def message_of(variant: Mapping[str, Any]) -> Message:
    """A variant as the compliance room reads it."""
    return Message(
        variant["offer_id"], variant["channel"], variant["subject"], variant["body"], variant["cta"]
    )


def shown(verdict: Verdict, rendered: RenderedMessage) -> dict[str, Any]:
    """The parts of a variant that follow from its text."""
    figures = [
        {
            "text": figure.text,
            "label": figure.label,
            "term_id": figure.term_id,
            "version": figure.version,
            "source": figure.source,
            "field": figure.field,
            "start": figure.start,
            "end": figure.end,
        }
        for figure in rendered.figures
    ]
    read = {"subject": rendered.subject, "body": rendered.body, "cta": rendered.cta}
    return {"rendered": read, "figures": figures, "verdict": verdict.as_json()}


def render_variant(session: Session, variant: Mapping[str, Any]) -> SimpleNamespace:
    """What the dispatcher sends: the copy with the very term versions that were approved."""
    message = message_of(variant)
    rendered = render_message(message, bound_facts(session, message))
    return SimpleNamespace(
        subject=rendered.subject or "", body=rendered.body, cta=rendered.cta or "", url=variant["url"]
    )


def rechecker(ws: Workspace) -> Rechecker:
    """What an edit of a proposal is judged by: the same verdict that the drafts had to pass."""
    knowledge = Knowledge(ws)

    def recheck(session: Session, payload: dict[str, Any]) -> Recheck:
        own = {"offer_id": payload["offer_id"], "channel": payload["channel"]}
        variants = knowledge.recheck([{**variant, **own} for variant in payload["variants"]])
        blocks = [
            f"Variant {variant['label']}: {finding['reason']}"
            for variant in variants
            for finding in variant["verdict"]["findings"]
            if finding["severity"] == "block"
        ]
        return Recheck(worst_checks(variants), blocks, [kept(variant) for variant in variants])

    return recheck


def kept(variant: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a variant that a payload holds and an approval is bound to."""
    return {name: variant.get(name) for name in KEPT}


def worst_checks(variants: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One check a rule: the worst of what the variants got."""
    worst: dict[str, dict[str, Any]] = {}
    order = {"pass": 0, "warn": 1, "fail": 2}
    for variant in variants:
        for one in variant["verdict"]["checks"]:
            held = worst.get(one["id"])
            if held is None or order[one["status"]] > order[held["status"]]:
                worst[one["id"]] = dict(one)
    return list(worst.values())
