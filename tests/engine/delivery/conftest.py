"""A small bank with one approved campaign, and a dispatcher over doubles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import record_consent
from smart_reach.engine.catalog.tables import Customer, Offer, Term
from smart_reach.engine.clock import FixedClock
from smart_reach.engine.delivery.dispatcher import Dispatcher
from smart_reach.engine.delivery.launch import CampaignLauncher, campaign_id_of
from smart_reach.engine.delivery.loopback import LoopbackConnector
from smart_reach.engine.delivery.messages import RenderedMessage
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.governance.ledger import Ledger
from smart_reach.engine.governance.proposals import ProposalService
from smart_reach.engine.governance.reading import approved_payload
from smart_reach.engine.governance.roles import Actor
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

MAYA = Actor("usr_maya", "Maya Lund", "marketer")
ANA = Actor("usr_ana", "Ana Ruiz", "manager")


@dataclass(frozen=True)
class Refusal:
    reason: str


class CountingGuard:
    """At most `cap` contacts a customer; remembers what was reserved, committed and released."""

    def __init__(self, cap: int = 100) -> None:
        self.cap = cap
        self.held: dict[int, tuple[str, str]] = {}
        self.committed: set[int] = set()
        self._next = 0

    def lock_many(self, session: Session, customer_ids: Collection[str]) -> None: ...

    def reserve_many(
        self, session: Session, wanted: Sequence[tuple[str, str, str]], at: datetime
    ) -> dict[str, int | Refusal]:
        return {subject: self._reserve(customer_id, subject) for customer_id, _, subject in wanted}

    def _reserve(self, customer_id: str, subject: str) -> int | Refusal:
        for number, (_, known) in self.held.items():
            if known == subject:
                return number
        if sum(customer == customer_id for customer, _ in self.held.values()) >= self.cap:
            return Refusal("The cap is reached.")
        self._next += 1
        self.held[self._next] = (customer_id, subject)
        return self._next

    def commit_many(self, session: Session, reservation_ids: Collection[int]) -> dict[int, str]:
        self.committed.update(reservation_ids)
        return {}

    def release_many(self, session: Session, reservation_ids: Collection[int]) -> None:
        for reservation_id in reservation_ids:
            self.held.pop(reservation_id, None)


def render(session: Session, variant: Mapping[str, Any]) -> RenderedMessage:
    return RenderedMessage(variant["subject"], variant["body"], variant["cta"])


def make_payload(customers: list[str], **changes: Any) -> dict[str, Any]:
    """A campaign payload with two variants whose first figure is version 1 of the cashback."""
    variants = [
        {
            "id": f"v-{label.lower()}",
            "label": label,
            "tone": tone,
            "subject": f"Subject {label}",
            "body": "Get {term:rewards-card.cashback@1} back.",
            "cta": "See how",
            "url": "https://demo-bank.example/r",
            "figures": [{"text": "2%", "term_id": "rewards-card.cashback", "version": 1}],
        }
        for label, tone in (("A", "warm"), ("B", "crisp"))
    ]
    return {
        "title": "Rewards",
        "offer_id": "rewards-card",
        "channel": "push",
        "window": "midday",
        "segment": {"id": "all", "label": "All customers"},
        "audience": {"customer_ids": customers, "count": len(customers)},
        "variants": variants,
        "holdout_share": 0.0,
        "experiment": {"metric": "click", "looks": 5, "alpha": 0.05, "min_days": 7},
        **changes,
    }


@dataclass
class Bank:
    """What the tests turn and watch."""

    workspace: Workspace
    customers: list[str]
    guard: CountingGuard = field(default_factory=CountingGuard)

    def __post_init__(self) -> None:
        clock = self.workspace.clock
        assert isinstance(clock, FixedClock)
        self.clock = clock
        self.ledger = Ledger(clock)
        self.loopback = LoopbackConnector(self.workspace.db, clock)
        hooks = {"campaign": CampaignLauncher(clock)}
        self.proposals = ProposalService(self.workspace.db, clock, self.ledger, on_approved=hooks)

    def launch(self, **changes: Any) -> str:
        """Propose and approve a campaign; returns its id."""
        made = self.proposals.create("campaign", make_payload(self.customers, **changes), MAYA)
        self.proposals.decide(made.id, ANA, "approve", payload_hash=made.payload_hash, reason="fits")
        return campaign_id_of(made.id)

    def dispatcher(self, **options: Any) -> Dispatcher:
        options = {"render": render, "guard": self.guard, "approved": approved_payload, **options}
        connectors = options.pop("connectors", {"push": self.loopback})
        return Dispatcher(self.workspace.db, connectors, self.clock, self.ledger, **options)

    def rows(self) -> list[OutboxRow]:
        with Session(self.workspace.db) as session:
            return list(session.scalars(select(OutboxRow).order_by(OutboxRow.customer_id)))

    def statuses(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for row in self.rows():
            counts[row.status] = counts.get(row.status, 0) + 1
        return counts


def seed(workspace: Workspace, count: int, zone: str = "Europe/Lisbon") -> list[str]:
    """An offer, one term and customers who all consented to push."""
    at = workspace.clock.now() - timedelta(days=30)
    ids = [f"cus_{number:06d}" for number in range(1, count + 1)]
    with transaction(workspace.db) as session:
        session.add(Offer(id="rewards-card", name="Rewards card", category="card", margin_minor=4000))
        session.flush()
        session.add(
            Term(id="rewards-card.cashback", version=1, offer_id="rewards-card", label="Back", display="2%",
                 number=2.0, unit="percent", qualifier=None, source="terms", valid_from=at, valid_to=None)
        )  # fmt: skip
        session.add_all(Customer(id=customer, zone=zone) for customer in ids)
        session.flush()
        for customer in ids:
            record_consent(session, customer, "push", granted=True, at=at, source="test")
    return ids


@pytest.fixture
def make_bank(open_workspace: Callable[..., Workspace]) -> Callable[..., Bank]:
    def make(count: int = 6, zone: str = "Europe/Lisbon") -> Bank:
        workspace = open_workspace()
        return Bank(workspace, seed(workspace, count, zone))

    return make
