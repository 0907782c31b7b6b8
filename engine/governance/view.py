"""A proposal as the API shows it. Delivery and results come from small readers, passed in as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Offer
from smart_reach.engine.catalog.words import CHANNEL_LABELS, WINDOWS
from smart_reach.engine.governance.deciding import why_not
from smart_reach.engine.governance.edits import resolve, word_diff
from smart_reach.engine.governance.ledger import Entry, entries_of
from smart_reach.engine.governance.proposal import Proposal
from smart_reach.engine.governance.roles import ActorLike
from smart_reach.engine.governance.tables import ProposalVersion
from smart_reach.engine.money import money

_WHAT = {
    "proposal.created": "proposed it",
    "proposal.edited": "edited the copy",
    "proposal.approved": "approved it",
    "proposal.rejected": "rejected it",
    "proposal.expired": "expired without an answer",
}


def proposal_json(
    session: Session,
    proposal: Proposal,
    viewer: ActorLike | None,
    *,
    delivery: Mapping[str, Any] | None = None,
    results: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The Proposal object of the API for one viewer. Customer ids of the audience are left out."""
    obstacle = why_not(proposal, viewer)
    return {
        **_identity(proposal),
        **_plan(session, proposal.payload),
        "checks": proposal.payload.get("checks", []),
        "variants": _variants(session, proposal),
        "experiment": _experiment(proposal.payload),
        "results": results if results is not None else proposal.payload.get("results"),
        "can_decide": obstacle is None,
        "why_not": obstacle,
        "timeline": timeline(session, proposal),
        "delivery": delivery,
    }


def _identity(proposal: Proposal) -> dict[str, Any]:
    decided_by = None
    if proposal.decided_by_id is not None:
        decided_by = {"id": proposal.decided_by_id, "name": proposal.decided_by_name}
    return {
        "id": proposal.id,
        "kind": proposal.kind,
        "title": proposal.title,
        "status": proposal.status,
        "created_at": proposal.created_at.isoformat(),
        "created_by": {"id": proposal.created_by_id, "name": proposal.created_by_name},
        "agent": proposal.agent,
        "deadline": proposal.deadline.isoformat(),
        "payload_hash": proposal.payload_hash,
        "version": proposal.version,
        "decided_by": decided_by,
        "decided_at": proposal.decided_at.isoformat() if proposal.decided_at else None,
        "decision_reason": proposal.decision_reason,
        "thread_id": proposal.thread_id,
    }


def _plan(session: Session, payload: Mapping[str, Any]) -> dict[str, Any]:
    offer_id = str(payload.get("offer_id") or "")
    channel = str(payload.get("channel") or "")
    window = str(payload.get("window") or "")
    offer = session.get(Offer, offer_id) if offer_id else None
    audience = payload.get("audience") or {}
    count = int(audience.get("count", len(audience.get("customer_ids", []))))
    segment = payload.get("segment") or {}
    return {
        "offer": {"id": offer_id, "name": offer.name if offer else offer_id},
        "channel": {"id": channel, "label": CHANNEL_LABELS.get(channel, channel)},
        "window": {"id": window, "label": WINDOWS[window].label if window in WINDOWS else window},
        "audience": {
            "count": count,
            "label": str(segment.get("label") or audience.get("label") or ""),
            "holdout": round(count * float(payload.get("holdout_share") or 0.0)),
        },
        **_worth(payload.get("expected") or {}),
        "risk": payload.get("risk"),
        "reason": payload.get("reason"),
        "funnel": payload.get("funnel", []),
    }


def _worth(expected: Mapping[str, Any]) -> dict[str, Any]:
    uplift, minor = expected.get("uplift"), expected.get("value_minor")
    currency = expected.get("currency", "EUR")
    return {
        "uplift": {
            "display": "–" if uplift is None else f"{round(100 * uplift, 2) + 0.0:+.2f} pp",
            "value": uplift,
            "interval": expected.get("interval"),
        },
        "expected_value": {
            "display": "–" if minor is None else money(minor, currency),
            "minor": minor,
            "currency": currency,
        },
    }


def _experiment(payload: Mapping[str, Any]) -> dict[str, Any] | None:
    plan = payload.get("experiment")
    if not plan:
        return None
    shown = {name: plan.get(name) for name in ("metric", "looks", "min_days")}
    return {**shown, "holdout_share": payload.get("holdout_share", 0.0)}


def _variants(session: Session, proposal: Proposal) -> list[dict[str, Any]]:
    originals = _first_variants(session, proposal) if proposal.version > 1 else {}
    return [_variant(v, originals.get(str(v.get("id")))) for v in proposal.payload.get("variants", [])]


def _variant(variant: Mapping[str, Any], original: Mapping[str, Any] | None) -> dict[str, Any]:
    names = ("id", "label", "tone", "subject", "body", "cta", "url")
    figures = list(variant.get("figures", []))
    read = _copy(variant)
    before = _copy(original) if original is not None else read
    return {
        **{name: variant.get(name) for name in names},
        "figures": [{**figure, "label": figure.get("label") or figure.get("term_id")} for figure in figures],
        "preview": {n: resolve(str(variant.get(n) or ""), figures) for n in ("subject", "body", "cta")},
        "diff": word_diff(before, read) if before != read else None,
    }


def _copy(variant: Mapping[str, Any]) -> str:
    return "\n".join(str(variant.get(name) or "") for name in ("subject", "body", "cta")).strip()


def _first_variants(session: Session, proposal: Proposal) -> dict[str, dict[str, Any]]:
    text = session.scalar(
        select(ProposalVersion.payload).where(
            ProposalVersion.proposal_id == proposal.id, ProposalVersion.version == 1
        )
    )
    return {str(v.get("id")): v for v in json.loads(text or "{}").get("variants", [])}


def timeline(session: Session, proposal: Proposal) -> list[dict[str, Any]]:
    """What happened to a proposal, read from the ledger: the same entries that prove it."""
    return [
        {
            "at": entry.at.isoformat(),
            "actor": str(entry.payload.get("actor_name") or entry.actor),
            "what": _what(entry),
        }
        for entry in entries_of(session, proposal.id)
    ]


def _what(entry: Entry) -> str:
    parts = [_WHAT.get(entry.kind, entry.kind)]
    if reason := entry.payload.get("reason"):
        parts.append(f": {reason}")
    if effect := entry.payload.get("effect", {}).get("what"):
        parts.append(f" · {effect}")
    return "".join(parts)
