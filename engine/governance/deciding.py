"""The rules of a decision, without the database: role, four eyes, freshness, hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smart_reach.engine.errors import Conflict, Forbidden, InvalidInput
from smart_reach.engine.governance.proposal import Proposal
from smart_reach.engine.governance.roles import PERMISSIONS, ROLES, ActorLike, allowed, require
from smart_reach.engine.governance.tables import ProposalRow

DECISIONS = ("approve", "reject", "edit")


def check_decidable(
    row: ProposalRow,
    authors: Sequence[str],
    actor: ActorLike,
    decision: str,
    payload_hash: str,
    reason: str,
    now: datetime,
) -> None:
    """Raise the first reason, in the order role → four eyes → state → hash, why this may not happen."""
    if decision not in DECISIONS:
        raise InvalidInput("decision", decision, f"Use one of {', '.join(DECISIONS)}.")
    require(actor, f"proposal.{decision}")
    if decision == "approve" and actor.id in authors:
        raise Forbidden(
            f"{actor.name} wrote part of {row.id}, and nobody approves their own work.",
            hint="Ask another manager.",
        )
    if row.status != "pending":
        raise already_decided(row)
    if now >= row.deadline:
        raise Conflict(f"{row.id} expired at {row.deadline:%Y-%m-%d %H:%M} UTC.", hint="Propose it again.")
    if decision != "approve" and not reason.strip():
        raise InvalidInput("reason", reason, "Say in a few words why.")
    if payload_hash != row.payload_hash:
        raise changed_since(row)


def already_decided(row: ProposalRow) -> Conflict:
    """The answer for whoever came second."""
    if row.decided_at is None:
        return Conflict(f"{row.id} expired at {row.deadline:%Y-%m-%d %H:%M} UTC.", hint="Propose it again.")
    return Conflict(
        f"{row.id} was already decided by {row.decided_by_name} at {row.decided_at:%Y-%m-%d %H:%M:%S} UTC "
        f"({row.status}).",
        hint="Reload to see the decision.",
    )


def changed_since(row: ProposalRow) -> Conflict:
    """The answer for whoever decided on something that is no longer there."""
    return Conflict(
        f"{row.id} has changed since it was read; it is now version {row.version}.",
        hint="Read the new version and decide again.",
    )


def why_not(proposal: Proposal, viewer: ActorLike | None) -> str | None:
    """Why a viewer cannot approve a proposal; None when they can."""
    if viewer is None:
        return "Sign in to decide."
    if proposal.status == "expired":
        return f"It expired at {proposal.deadline:%Y-%m-%d %H:%M} UTC."
    if proposal.status != "pending":
        return f"Already {proposal.status} by {proposal.decided_by_name}."
    if not allowed(viewer, "proposal.approve"):
        holders = " or ".join(role for role in ROLES if role in PERMISSIONS["proposal.approve"])
        return f"Your role is {viewer.role}; a {holders} decides."
    if viewer.id in proposal.author_ids:
        return "You wrote this or part of it; somebody else has to decide."
    return None
