"""Proposals and the one `decide()` that the chat card, the queue and the API all call.

Order of a decision: role → four eyes → payload hash → compare-and-set pending → hooks → ledger, all in
one transaction. Of two simultaneous answers one wins and the other is told who was first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smart_reach.engine.clock import Clock
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.governance.deciding import check_decidable
from smart_reach.engine.governance.edits import Rechecker, apply_edits, recheck_payload
from smart_reach.engine.governance.proposal import KINDS, Proposal, freeze, from_row
from smart_reach.engine.governance.reading import ProposalReader
from smart_reach.engine.governance.roles import ActorLike, require
from smart_reach.engine.governance.rows import (
    add_version,
    authors_of,
    compare_and_set,
    find_row,
    locked_counter,
)
from smart_reach.engine.governance.tables import ProposalRow
from smart_reach.engine.ports import LedgerWriter
from smart_reach.engine.state.base import transaction

DecisionHook = Callable[[Session, Proposal], Mapping[str, Any] | None]
Listener = Callable[[Proposal], None]
LIFETIME = timedelta(days=7)


class ProposalService(ProposalReader):
    """Creates proposals and decides them.

    `on_approved[kind]` (or `on_rejected[kind]`) runs in the deciding transaction: when it raises, nothing
    was decided. What it returns is kept in the ledger entry as the decision's `effect`.
    `listeners` are told after the commit (live pages); they get the proposal as it now is.
    """

    def __init__(
        self,
        db: Engine,
        clock: Clock,
        ledger: LedgerWriter,
        *,
        recheck: Rechecker | None = None,
        on_approved: Mapping[str, DecisionHook] | None = None,
        on_rejected: Mapping[str, DecisionHook] | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> None:
        super().__init__(db, clock)
        self._ledger = ledger
        self._recheck = recheck
        self._lifetime = lifetime
        self.on_approved: dict[str, DecisionHook] = dict(on_approved or {})
        self.on_rejected: dict[str, DecisionHook] = dict(on_rejected or {})
        self.listeners: list[Listener] = []

    def create(
        self,
        kind: str,
        payload: Mapping[str, Any],
        author: ActorLike,
        agent: str | None = None,
        thread_id: str | None = None,
        interrupt_id: str | None = None,
        *,
        dedup_key: str | None = None,
    ) -> Proposal:
        """Store a pending proposal. With a `dedup_key` seen before, the first proposal is returned."""
        with transaction(self._db) as session:
            proposal = self.create_in(
                session, kind, payload, author, agent, thread_id, interrupt_id, dedup_key=dedup_key
            )
        self.announce(proposal)
        return proposal

    def create_in(
        self,
        session: Session,
        kind: str,
        payload: Mapping[str, Any],
        author: ActorLike,
        agent: str | None = None,
        thread_id: str | None = None,
        interrupt_id: str | None = None,
        *,
        dedup_key: str | None = None,
    ) -> Proposal:
        """`create` inside the caller's transaction; listeners are not told."""
        require(author, "proposal.create")
        if kind not in KINDS:
            raise InvalidInput("kind", kind, f"Use one of {', '.join(KINDS)}.")
        counter = locked_counter(session)  # equal keys cannot race past the look-up
        if dedup_key is not None and (known := self._by_key(session, dedup_key)) is not None:
            return known
        counter.value += 1
        row = self._new_row(
            counter.value,
            kind,
            payload,
            author,
            agent=agent,
            thread_id=thread_id,
            interrupt_id=interrupt_id,
            dedup_key=dedup_key,
        )
        session.add(row)
        session.flush()
        add_version(session, row, author, row.created_at, "")
        self._record(session, "proposal.created", row, author, {"kind": kind, "title": row.title})
        return from_row(row, (author.id,), row.created_at)

    def _new_row(
        self, number: int, kind: str, payload: Mapping[str, Any], author: ActorLike, **links: str | None
    ) -> ProposalRow:
        text, digest = freeze(payload)
        now = self._clock.now()
        return ProposalRow(
            id=f"PRP-{number:04d}",
            kind=kind,
            title=str(payload.get("title") or f"{kind.capitalize()} {number}"),
            status="pending",
            payload=text,
            payload_hash=digest,
            version=1,
            created_at=now,
            created_by_id=author.id,
            created_by_name=author.name,
            deadline=now + self._lifetime,
            **links,
        )

    def decide(
        self,
        proposal_id: str,
        actor: ActorLike,
        decision: str,
        *,
        payload_hash: str,
        reason: str,
        edits: Mapping[str, Any] | None = None,
    ) -> Proposal:
        """Approve, reject or edit a pending proposal.

        Raises `Forbidden` (role, four eyes), `Conflict` (already decided, expired, changed since it was
        read), `InvalidInput` (reason missing, edit refused by a rule), `NotFound`.
        """
        with transaction(self._db) as session:
            row = find_row(session, proposal_id)
            authors = authors_of(session, [proposal_id])[proposal_id]
            check_decidable(row, authors, actor, decision, payload_hash, reason, self._clock.now())
            if decision == "edit":
                self._edit(session, row, actor, reason, edits)
            else:
                self._settle(session, row, actor, decision, reason)
            proposal = self._value(session, row)
            facts: dict[str, Any] = {"reason": reason.strip()}
            if (hook := self._hook(decision, row.kind)) is not None:
                facts["effect"] = dict(hook(session, proposal) or {})
            outcome = "edited" if decision == "edit" else row.status
            self._record(session, f"proposal.{outcome}", row, actor, facts)  # last: it holds the head's lock
        self.announce(proposal)
        return proposal

    def _hook(self, decision: str, kind: str) -> DecisionHook | None:
        hooks = {"approve": self.on_approved, "reject": self.on_rejected}.get(decision, {})
        return hooks.get(kind)

    def _edit(
        self,
        session: Session,
        row: ProposalRow,
        actor: ActorLike,
        reason: str,
        edits: Mapping[str, Any] | None,
    ) -> None:
        if row.kind != "campaign":
            raise InvalidInput("decision", "edit", f"A {row.kind} is approved or rejected as it is.")
        before = from_row(row, (), self._clock.now())
        changed = recheck_payload(session, apply_edits(before.payload, edits), self._recheck)
        text, digest = freeze(changed)
        if digest == row.payload_hash:
            raise InvalidInput("edits", "no change", "Change the copy or approve it as it is.")
        compare_and_set(session, row, payload=text, payload_hash=digest, version=row.version + 1)
        add_version(session, row, actor, self._clock.now(), reason.strip())

    def _settle(
        self, session: Session, row: ProposalRow, actor: ActorLike, decision: str, reason: str
    ) -> None:
        compare_and_set(
            session,
            row,
            status="approved" if decision == "approve" else "rejected",
            decided_by_id=actor.id,
            decided_by_name=actor.name,
            decided_at=self._clock.now(),
            decision_reason=reason.strip(),
        )

    def _by_key(self, session: Session, key: str) -> Proposal | None:
        row = session.scalar(select(ProposalRow).where(ProposalRow.dedup_key == key))
        return None if row is None else self._value(session, row)

    def _record(
        self, session: Session, kind: str, row: ProposalRow, actor: ActorLike, extra: dict[str, Any]
    ) -> None:
        self._ledger(
            session,
            kind=kind,
            subject=row.id,
            actor=actor.id,
            payload={
                "payload_hash": row.payload_hash,
                "version": row.version,
                "actor_name": actor.name,
                **extra,
            },
        )

    def announce(self, proposal: Proposal) -> None:
        """Tell the listeners; for callers of `create_in`, after their commit."""
        for listener in self.listeners:
            listener(proposal)
