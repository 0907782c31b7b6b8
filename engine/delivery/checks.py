"""The last checks, made at the moment of dispatch against what is stored now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.consent import current_consent, recent_withdrawals
from smart_reach.engine.catalog.tables import Campaign, Consent, Customer, Term
from smart_reach.engine.catalog.terms import in_force, terms_of
from smart_reach.engine.catalog.words import CHANNEL_LABELS, require_window
from smart_reach.engine.delivery.messages import ApprovalReader
from smart_reach.engine.delivery.tables import OutboxRow
from smart_reach.engine.delivery.timing import next_opening
from smart_reach.engine.learning.assignment import arm_for
from smart_reach.engine.learning.tables import Experiment

# As the contact policy: who unsubscribed from one channel is left alone on the others for a while.
REST = timedelta(days=30)


@dataclass(frozen=True)
class Hold:
    """It must not go out."""

    reason: str


@dataclass(frozen=True)
class Wait:
    """It may go out later."""

    reason: str
    until: datetime


@dataclass(frozen=True)
class Go:
    """It may go out now: with this variant, under this consent."""

    payload: Mapping[str, Any]
    variant: Mapping[str, Any]
    randomised: bool
    consent_id: int


@dataclass(frozen=True)
class _Content:
    payload: Mapping[str, Any]
    payload_hash: str
    intact: bool
    audience: frozenset[str]
    variants: Mapping[str, Mapping[str, Any]]


class LastChecks:
    """Everything one batch needs, read once in its transaction."""

    def __init__(
        self, session: Session, rows: Sequence[OutboxRow], approved: ApprovalReader, now: datetime
    ) -> None:
        self._session = session
        self._now = now
        campaigns = {row.campaign_id for row in rows}
        customers = {row.customer_id for row in rows}
        self._campaigns = {
            c.id: c for c in session.scalars(select(Campaign).where(Campaign.id.in_(campaigns)))
        }
        self._experiments = {
            e.campaign_id: e
            for e in session.scalars(select(Experiment).where(Experiment.campaign_id.in_(campaigns)))
        }
        self._customers = {
            c.id: c for c in session.scalars(select(Customer).where(Customer.id.in_(customers)))
        }
        self._consents: dict[str, dict[str, Consent]] = {
            channel: current_consent(session, customers, channel) for channel in {row.channel for row in rows}
        }
        self._resting = recent_withdrawals(session, customers, since=now - REST)
        self._contents = {c.id: _content(session, approved, c) for c in self._campaigns.values()}
        self._terms: dict[tuple[str, int, str], str | None] = {}

    def campaign(self, row: OutboxRow) -> Campaign:
        return self._campaigns[row.campaign_id]

    def experiment(self, row: OutboxRow) -> Experiment | None:
        return self._experiments.get(row.campaign_id)

    def look(self, row: OutboxRow) -> Go | Wait | Hold:
        """Approval, consent, terms, time: in this order the first obstacle counts. Caps come after."""
        campaign, content = self._campaigns.get(row.campaign_id), self._contents.get(row.campaign_id)
        if campaign is None or campaign.status != "active":
            return Hold("The campaign is not active.")
        if content is None or not content.intact or not _bound(row, campaign, content):
            return Hold("What is stored is not what was approved.")
        customer = self._customers.get(row.customer_id)
        if customer is None or row.customer_id not in content.audience:
            return Hold("The customer is not in the approved audience.")
        consent = self._consents[row.channel].get(row.customer_id)
        if consent is None or not consent.granted:
            return Hold(f"No consent for {CHANNEL_LABELS[row.channel]}.")
        if row.customer_id in self._resting:
            return Hold(f"The customer unsubscribed within the last {REST.days} days.")
        variant, randomised = self._variant(row, content)
        if variant is None:
            return Hold("The variant is not among the approved ones.")
        if reason := self._outdated(variant):
            return Hold(reason)
        opening = next_opening(self._now, customer.zone, require_window(str(content.payload["window"])))
        if opening > self._now:
            return Wait("Waits for the window in the customer's zone.", opening)
        return Go(content.payload, variant, randomised, consent.id)

    def _variant(self, row: OutboxRow, content: _Content) -> tuple[Mapping[str, Any] | None, bool]:
        experiment = self._experiments.get(row.campaign_id)
        if row.variant_id is not None:  # prepared before a crash: the assignment stands
            return content.variants.get(row.variant_id), False
        if experiment is None:
            return next(iter(content.variants.values()), None), False
        arm, randomised = arm_for(experiment, row.customer_id)
        return content.variants.get(arm), randomised

    def _outdated(self, variant: Mapping[str, Any]) -> str | None:
        for figure in variant.get("figures", []):
            key = (str(figure.get("term_id")), int(figure.get("version", 0)), str(figure.get("text")))
            if key not in self._terms:
                self._terms[key] = self._term_fault(*key)
            if self._terms[key]:
                return self._terms[key]
        return None

    def _term_fault(self, term_id: str, version: int, approved: str) -> str | None:
        """Why a figure may not go out as it was approved: gone, over, superseded, or worded otherwise."""
        term = self._session.get(Term, (term_id, version), populate_existing=True)
        if term is None:
            return f"There is no version {version} of the term {term_id}."
        current = terms_of(self._session, term.offer_id, self._now).get(term_id)
        if not in_force(term, self._now) or current is None or current.version != version:
            return f"Version {version} of {term_id} is no longer in force; the copy must be approved anew."
        if term.display != approved:
            return f"{term_id} does not read as it did when the copy was approved."
        return None


def _bound(row: OutboxRow, campaign: Campaign, content: _Content) -> bool:
    """Row, campaign and stored payload must all carry the approved hash and say the same."""
    same_hash = row.payload_hash == campaign.payload_hash == content.payload_hash
    said = (content.payload.get("channel"), content.payload.get("offer_id"), content.payload.get("window"))
    return same_hash and said == (row.channel, campaign.offer_id, campaign.window)


def _content(session: Session, approved: ApprovalReader, campaign: Campaign) -> _Content | None:
    found = approved(session, campaign.proposal_id)
    if found is None:
        return None
    audience = found.payload.get("audience") or {}
    return _Content(
        payload=found.payload,
        payload_hash=found.payload_hash,
        intact=found.intact,
        audience=frozenset(map(str, audience.get("customer_ids") or ())),
        variants={str(variant["id"]): variant for variant in found.payload.get("variants") or ()},
    )
