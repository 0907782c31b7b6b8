"""Drafts message variants from reviewed lines; every figure is a reference to a version of a term."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from smart_reach.engine.canonical import content_hash
from smart_reach.engine.catalog.tables import Term
from smart_reach.engine.catalog.terms import term_version
from smart_reach.engine.catalog.words import require_channel
from smart_reach.engine.compliance.facts import TermFact, fact_of, facts_of
from smart_reach.engine.compliance.message import Message, references
from smart_reach.engine.compliance.verdict import (
    Figure,
    RenderedMessage,
    check,
    missing_lines,
    render_message,
)
from smart_reach.engine.errors import Conflict, Integrity, InvalidInput
from smart_reach.knowledge.documents import OfferEntry, require_offer
from smart_reach.knowledge.lines import (
    TONES,
    Layout,
    Tone,
    layouts,
    offer_copy,
    require_length,
    require_tone,
)
from smart_reach.knowledge.rules import load_rules

_LOCAL = re.compile(r"\{term:([a-z0-9_]+)\}")
_LINE = re.compile(r"\{([a-z]+\d?)\}")
_MOST = 6  # two layouts in each of three tones
_SITE = "https://demo-bank.example"


@dataclass(frozen=True)
class VariantDraft:
    """One variant. `subject` and `body` are templates with `{term:…@version}` references."""

    id: str
    label: str
    tone: str
    channel: str
    offer_id: str
    subject: str | None
    body: str
    cta: str
    url: str
    figures: tuple[Figure, ...] = field(default=())

    def message(self) -> Message:
        return Message(self.offer_id, self.channel, self.subject, self.body, self.cta)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as a campaign payload holds them."""
        return {**asdict(self), "figures": [asdict(figure) for figure in self.figures]}


def draft_variants(
    session: Session,
    offer_id: str,
    channel: str,
    *,
    tone: str | None = None,
    n: int = 2,
    at: datetime,
    length: str | None = None,
) -> list[VariantDraft]:
    """Draft `n` (1 to 6) variants that differ in tone, or in layout where one tone is asked for.

    Figures are bound to the term versions in force at `at`. Every draft has passed the compliance check.
    Raises `InvalidInput` for an unknown offer, channel, tone or length, or when fewer than `n` reviewed
    variants exist; `Conflict` when the terms that the copy needs are not in force.
    """
    offer = require_offer(offer_id)
    chosen = _layouts(require_channel(channel), tone, length)
    if not 1 <= n <= _MOST:
        raise InvalidInput("n", n, f"Use a number from 1 to {_MOST}.")
    facts = facts_of(session, offer_id, at)
    drafts: list[VariantDraft] = []
    for layout in chosen:
        draft = _draft(offer, channel, layout, facts, at, chr(ord("A") + len(drafts)))
        if draft is not None and (draft.subject, draft.body) not in {(d.subject, d.body) for d in drafts}:
            drafts.append(draft)
        if len(drafts) == n:
            return drafts
    if not drafts:
        raise Conflict(
            f"The terms that the copy for {offer.name} needs are not in force.",
            hint="Check the offer's terms in the catalog.",
        )
    raise InvalidInput("n", n, f"There are {len(drafts)} reviewed variants for that; ask for fewer.")


def render(session: Session, variant: VariantDraft) -> RenderedMessage:
    """How a variant reads, with the very versions it is bound to. Raises `NotFound` for an unknown one."""
    return render_message(variant.message(), bound_facts(session, variant.message()))


def bound_facts(session: Session, message: Message) -> tuple[TermFact, ...]:
    """The term versions that a template refers to. Raises `NotFound`, or `Integrity` without a version."""
    rows: dict[tuple[str, int], Term] = {}
    for _, text in message.fields():
        for term_id, version in references(text):
            if version is None:
                raise Integrity(f"{term_id} is referred to without a version.")
            rows[term_id, version] = term_version(session, term_id, version)
    return tuple(fact_of(row, row.valid_from) for row in rows.values())


def _layouts(channel: str, tone: str | None, length: str | None) -> Sequence[Layout]:
    tones: tuple[Tone, ...] = TONES if tone is None else (require_tone(tone),)
    wanted = None if length is None else require_length(length)
    by_tone = [layouts()[channel][name] for name in tones]
    # One of each tone first, so that two variants differ in tone unless one tone was asked for.
    mixed = [layout for rank in zip(*by_tone, strict=True) for layout in rank]
    return [layout for layout in mixed if wanted is None or layout.length == wanted]


def _draft(
    offer: OfferEntry, channel: str, layout: Layout, facts: Sequence[TermFact], at: datetime, label: str
) -> VariantDraft | None:
    """None when a line of the layout needs a term that is not in force."""
    current = {fact.term_id: fact for fact in facts if fact.state == "current"}
    copy = offer_copy()[offer.id]
    lines = _bind({"name": offer.name, **copy.lines(layout.tone)}, offer.id, current)
    if not lines["hook"]:
        return None
    subject = None if layout.subject is None else _fill(layout.subject, lines)
    cta = copy.cta[layout.tone]
    message = Message(offer.id, channel, subject, _fill(layout.body, {**lines, "legal": ""}), cta)
    legal = " ".join(line for _, line in missing_lines(message, facts, load_rules()))
    message = message.with_field("body", _fill(layout.body, {**lines, "legal": legal}))
    verdict = check(message, facts, load_rules())
    if not verdict.passed:
        reasons = "; ".join(finding.reason for finding in verdict.blocking)
        raise Integrity(
            f"Reviewed copy for {offer.id} on {channel} ({layout.tone}) fails its check: {reasons}"
        )
    number = content_hash([offer.id, channel, layout.tone, message.subject, message.body])[:8]
    url = _url(offer, channel, f"{layout.tone}-{number}", at)
    return VariantDraft(
        f"v-{number}",
        label,
        layout.tone,
        channel,
        offer.id,
        message.subject,
        message.body,
        cta,
        url,
        render_message(message, facts).figures,
    )


def _bind(lines: Mapping[str, str], offer_id: str, current: Mapping[str, TermFact]) -> dict[str, str]:
    """Bind local references to versions; a line whose term is not in force is left out."""
    bound: dict[str, str] = {}
    for name, text in lines.items():
        needed = {f"{offer_id}.{fact}" for fact in _LOCAL.findall(text)}
        known = needed <= current.keys()
        bound[name] = (
            _LOCAL.sub(lambda slot: current[f"{offer_id}.{slot[1]}"].reference, text) if known else ""
        )
    return bound


def _fill(layout: str, lines: Mapping[str, str]) -> str:
    """Put lines into a layout; what stays empty leaves no gap behind. References keep their braces."""
    text = _LINE.sub(lambda slot: lines[slot[1]], layout)
    text = re.sub(r"[ \t]+\n", "\n", re.sub(r"[ \t]{2,}", " ", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _url(offer: OfferEntry, channel: str, content: str, at: datetime) -> str:
    tags = {
        "utm_source": "smart-reach",
        "utm_medium": channel,
        "utm_campaign": f"{offer.id}-{at:%Y%m}",
        "utm_content": content,
    }
    return f"{_SITE}/{offer.category}/{offer.id}?{urlencode(tags)}"
