"""`DecisionService`: next best action for a customer or a segment, stored so that it can be replayed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json, content_hash
from smart_reach.engine.catalog.words import require_channel
from smart_reach.engine.decisioning.arbitration import arbitrate
from smart_reach.engine.decisioning.contact.history import History, LakeHistory, sync_contacts
from smart_reach.engine.decisioning.contact.ledger import ContactLedger, Refusal
from smart_reach.engine.decisioning.gather import Gatherer
from smart_reach.engine.decisioning.policy import ContactPolicy, DecisionPolicy
from smart_reach.engine.decisioning.records.erasure import erased_on, erased_text
from smart_reach.engine.decisioning.records.outcome import compute
from smart_reach.engine.decisioning.records.record import Decision, bound_to, inputs_json
from smart_reach.engine.decisioning.records.replay import Replay, replay_row
from smart_reach.engine.decisioning.segment_decision import SegmentDecider, SegmentDecision
from smart_reach.engine.decisioning.segments import named
from smart_reach.engine.decisioning.tables import DECISION_NUMBERS, DecisionRow
from smart_reach.engine.errors import Conflict, InvalidInput, NotFound
from smart_reach.engine.models.source import FeatureSource, feature_store
from smart_reach.engine.models.store import ModelStore
from smart_reach.engine.ports import LedgerWriter, Progress, silent
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace


@dataclass(frozen=True)
class PolicyText:
    """A policy as people read it; `version` names it, `facts` are its numbers."""

    text: str
    version: str
    facts: list[dict[str, Any]]


@dataclass(frozen=True)
class SegmentMatch:
    """A segment that was asked for in words."""

    id: str
    label: str
    description: str
    count: int
    source: str


class DecisionService:
    """The NBA door. Safe to share between threads; build one per process."""

    def __init__(
        self,
        ws: Workspace,
        ledger: LedgerWriter,
        *,
        features: FeatureSource | None = None,
        history: History | None = None,
        contact_policy: ContactPolicy | None = None,
        decision_policy: DecisionPolicy | None = None,
        proof: Callable[[str], str | None] | None = None,
    ) -> None:
        self._ws = ws
        self._ledger = ledger
        self._proof = proof
        self.contacts = ContactLedger(ws.clock, contact_policy)
        self.models = ModelStore(ws)
        self._reads_lake = history is None
        self._lock = Lock()
        self._gather = Gatherer(
            features or feature_store(ws),
            self.contacts,
            history or LakeHistory(ws),
            decision_policy or DecisionPolicy(),
        )
        self._segments = SegmentDecider(ws, ledger, self._gather, self.models)

    def sync(self) -> int:
        """Bring contacts that only the lake knows into the contact ledger; done by itself before the first
        decision, but slow on a new workspace: call it after the workspace is built."""
        with self._lock:
            self._reads_lake, reads = False, self._reads_lake
            return sync_contacts(self._ws, self.contacts) if reads else 0

    def decide(
        self,
        customer_id: str,
        *,
        offer_id: str | None = None,
        channel: str | None = None,
        reserve: bool = False,
        actor: str = "system",
    ) -> Decision:
        """Choose, record, enter in the ledger and, if asked, reserve the contact: one transaction.

        Raises NotFound for an unknown customer or offer, InvalidInput for an unknown channel.
        """
        self._ready(channel)
        at = self._ws.clock.now()
        with transaction(self._ws.db) as session:
            if reserve:
                # from here on no other reservation of this customer can slip in before ours
                self.contacts.lock(session, customer_id)
            inputs = self._gather.one(session, customer_id, at, offer_id, channel)
            models = self.models.serving(session)
            outputs = compute(inputs, arbitrate(inputs, models), models)
            decision_id = f"DEC-{session.scalar(DECISION_NUMBERS.next_value()):06d}"
            record: dict[str, Any] = {
                "schema": 1,
                "decision_id": decision_id,
                "requested": {"offer_id": offer_id, "channel": channel},
                "inputs": inputs_json(inputs),
                "bound_to": bound_to(inputs, models),
                "outputs": outputs,
                "reservation_id": self._reserve(session, decision_id, inputs_json(inputs), outputs)
                if reserve
                else None,
            }
            return self._store(session, decision_id, record, actor)

    def decide_segment(
        self,
        segment_id: str,
        *,
        offer_id: str | None = None,
        channel: str | None = None,
        actor: str = "system",
        limit: int | None = None,
        progress: Progress = silent,
    ) -> SegmentDecision:
        """The action that brings the most over a whole segment, its audience, funnel and runners-up."""
        self._ready(channel)
        return self._segments.decide(
            segment_id, offer_id=offer_id, channel=channel, actor=actor, limit=limit, progress=progress
        )

    def contact_policy(self) -> PolicyText:
        """The contact policy in force, in words."""
        policy = self.contacts.policy
        return PolicyText(policy.text, policy.name, policy.facts)

    def find_segment(self, description: str) -> SegmentMatch:
        """The segment that a description names, and how many customers are in it. Raises NotFound."""
        frame = self._gather.everyone()
        found = named(description, frame.columns)
        why = found.why(frame.columns)
        count = int(found.members(frame).sum())
        return SegmentMatch(found.id, found.label, f"{why}.", count, f"segment {found.id}")

    def get(self, decision_id: str) -> Decision | SegmentDecision:
        """A stored decision, of a customer (DEC-…) or a segment (SEG-…). Raises NotFound."""
        if decision_id.startswith("SEG-"):
            return self.get_segment(decision_id)
        row = self._row(decision_id)
        if (day := erased_on(row)) is not None:
            raise NotFound(erased_text(row.id, day))
        return Decision(row.id, json.loads(row.record), row.content_hash)

    def get_segment(self, decision_id: str) -> SegmentDecision:
        """A stored segment decision. Raises NotFound."""
        return self._segments.get(decision_id)

    def replay(self, decision_id: str) -> Replay:
        """Compute a stored decision again and compare bit for bit."""
        if decision_id.startswith("SEG-"):
            raise InvalidInput(
                "decision_id",
                decision_id,
                "A segment's inputs are not kept; replay a customer's decision (DEC-…).",
            )
        row = self._row(decision_id)
        return replay_row(row, self.models, self._proof(decision_id) if self._proof else row.content_hash)

    def _ready(self, channel: str | None) -> None:
        if channel is not None:
            require_channel(channel)
        if self._reads_lake:
            self.sync()

    def _row(self, decision_id: str) -> DecisionRow:
        with Session(self._ws.db) as session:
            row = session.get(DecisionRow, decision_id)
        if row is None:
            raise NotFound(
                f"There is no decision {decision_id!r}.", hint="Decision ids look like DEC-000001."
            )
        return row

    def _reserve(
        self, session: Session, decision_id: str, inputs: dict[str, Any], outputs: dict[str, Any]
    ) -> int | None:
        choice = outputs["choice"]
        if choice is None:
            return None
        at = datetime.fromisoformat(choice["send_at"])
        got = self.contacts.reserve(session, inputs["customer_id"], choice["channel"], at, decision_id)
        if isinstance(got, Refusal):
            # the same rule has just let the action pass under the same lock
            raise Conflict(f"The contact could not be reserved: {got.reason}")
        return got

    def _store(self, session: Session, decision_id: str, record: dict[str, Any], actor: str) -> Decision:
        text = canonical_json(record)
        digest = content_hash(record)
        choice = record["outputs"]["choice"] or {}
        inputs = record["inputs"]
        action = {name: choice.get(name) for name in ("offer_id", "channel", "window")}
        entry = self._ledger(
            session,
            kind="decision",
            subject=decision_id,
            actor=actor,
            payload={
                "content_hash": digest,
                "customer_id": inputs["customer_id"],
                "action": action if choice else None,
                "reservation_id": record["reservation_id"],
            },
        )
        session.add(
            DecisionRow(
                id=decision_id,
                customer_id=inputs["customer_id"],
                at=self._ws.clock.now(),
                actor=actor,
                record=text,
                content_hash=digest,
                ledger_seq=entry,
                **action,
            )
        )
        session.flush()
        return Decision(decision_id, json.loads(text), digest)
