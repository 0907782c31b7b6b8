"""Everything a decision depends on, gathered once and then only computed with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.tables import Consent, Customer, Offer
from smart_reach.engine.decisioning.contact.history import Happening
from smart_reach.engine.decisioning.contact.limits import Contact
from smart_reach.engine.decisioning.policy import ContactPolicy, DecisionPolicy
from smart_reach.engine.decisioning.rules import Rule
from smart_reach.engine.errors import NotFound


@dataclass(frozen=True)
class OfferFacts:
    """The part of an offer that a decision uses."""

    id: str
    name: str
    category: str
    margin_minor: int
    currency: str
    rules: tuple[Rule, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "category": self.category,
            "margin_minor": self.margin_minor,
            "currency": self.currency,
            "rules": [rule.as_json() for rule in self.rules],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> OfferFacts:
        rules = tuple(Rule.from_json(rule) for rule in value["rules"])
        return cls(**{**value, "rules": rules})


@dataclass(frozen=True)
class Receipt:
    """The consent row that holds; `id` is the receipt."""

    id: int
    granted: bool


@dataclass(frozen=True)
class Inputs:
    """n customers at one time. `features` has n rows in the order of `ids`."""

    at: datetime
    ids: tuple[str, ...]
    zones: tuple[str, ...]
    holdout: tuple[bool, ...]
    features: pd.DataFrame
    offers: tuple[OfferFacts, ...]
    channels: tuple[str, ...]
    windows: tuple[str, ...]
    consents: Mapping[str, Mapping[str, Receipt]]
    contacts: Mapping[str, Sequence[Contact]]
    happenings: Mapping[str, Sequence[Happening]]
    contact_policy: ContactPolicy
    decision_policy: DecisionPolicy


def active_offers(session: Session, offer_id: str | None) -> tuple[OfferFacts, ...]:
    """Active offers in the order of their ids, or the one asked for. Raises NotFound."""
    rows = session.scalars(select(Offer).where(Offer.active).order_by(Offer.id)).all()
    known = [row.id for row in rows]
    if offer_id is not None and offer_id not in known:
        raise NotFound(
            f"There is no active offer {offer_id!r}.", hint=f"Known offers: {', '.join(known) or 'none'}."
        )
    return tuple(
        OfferFacts(
            row.id,
            row.name,
            row.category,
            row.margin_minor,
            row.currency,
            tuple(Rule.from_json(rule) for rule in row.eligibility),
        )
        for row in rows
        if offer_id in (None, row.id)
    )


def receipts(session: Session, customer_ids: Sequence[str] | None) -> dict[str, dict[str, Receipt]]:
    """Consent that holds now, per customer and channel."""
    query = (
        select(Consent.customer_id, Consent.channel, Consent.id, Consent.granted)
        .where(Consent.purpose == "marketing")
        .order_by(Consent.customer_id, Consent.channel, Consent.id.desc())
        .distinct(Consent.customer_id, Consent.channel)
    )
    if customer_ids is not None:
        query = query.where(Consent.customer_id.in_(list(customer_ids)))
    found: dict[str, dict[str, Receipt]] = {}
    for customer_id, channel, receipt, granted in session.execute(query):
        found.setdefault(customer_id, {})[channel] = Receipt(receipt, granted)
    return found


def people(session: Session, customer_ids: Sequence[str] | None) -> pd.DataFrame:
    """zone and holdout per customer, indexed and ordered by id. Raises NotFound for an unknown one."""
    query = select(Customer.id, Customer.zone, Customer.holdout).order_by(Customer.id)
    if customer_ids is not None:
        query = query.where(Customer.id.in_(list(customer_ids)))
    rows = session.execute(query).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["id", "zone", "holdout"]).set_index("id")
    if customer_ids is not None:
        for customer_id in customer_ids:
            if customer_id not in frame.index:
                raise NotFound(
                    f"There is no customer {customer_id!r}.", hint="Customer ids look like cus_000001."
                )
    return frame


def with_attributes(session: Session, features: pd.DataFrame, offers: Sequence[OfferFacts]) -> pd.DataFrame:
    """The features plus those customer attributes that only eligibility rules name."""
    wanted = {rule.field for offer in offers for rule in offer.rules} - set(features.columns)
    if not wanted:
        return features
    query = select(Customer.id, Customer.attributes)
    if len(features) < 5000:
        query = query.where(Customer.id.in_([str(one) for one in features.index]))
    attributes = {row.id: row.attributes for row in session.execute(query)}
    added = features.copy()
    for name in sorted(wanted):
        values = [attributes.get(str(one), {}).get(name) for one in features.index]
        if any(value is not None for value in values):
            added[name] = values
    return added


def plain(value: Any) -> Any:
    """A feature value as JSON keeps it: numbers, texts, None for missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, bool | int | float | str):
        return value
    return str(value)
