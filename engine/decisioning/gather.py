"""Reads the inputs of a decision from the feature store, the database and the lake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.words import CHANNELS, WINDOWS, require_channel
from smart_reach.engine.decisioning.contact.history import Happening, History
from smart_reach.engine.decisioning.contact.ledger import ContactLedger
from smart_reach.engine.decisioning.inputs import (
    Inputs,
    OfferFacts,
    active_offers,
    people,
    receipts,
    with_attributes,
)
from smart_reach.engine.decisioning.policy import DecisionPolicy
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.models.source import FeatureSource


@dataclass(frozen=True)
class Gatherer:
    """Holds the readers; `one` and `many` return inputs that nothing outside can change any more."""

    features: FeatureSource
    contacts: ContactLedger
    history: History
    policy: DecisionPolicy

    def one(
        self, session: Session, customer_id: str, at: datetime, offer_id: str | None, channel: str | None
    ) -> Inputs:
        """Inputs of one customer. Raises NotFound for an unknown customer or offer."""
        offers = active_offers(session, offer_id)
        people(session, [customer_id])
        frame = self._features([customer_id])
        if customer_id not in frame.index:
            raise NotFound(
                f"There are no features for {customer_id!r} yet.", hint="Refresh the feature store."
            )
        return self._inputs(session, frame.loc[[customer_id]], at, offers, channel, [customer_id])

    def everyone(self) -> pd.DataFrame:
        """Features of all customers, ordered by id."""
        return self._features(None).sort_index()

    def many(
        self,
        session: Session,
        frame: pd.DataFrame,
        at: datetime,
        offer_id: str | None,
        channel: str | None,
    ) -> Inputs:
        """Inputs of the customers of a feature frame."""
        return self._inputs(session, frame, at, active_offers(session, offer_id), channel, None)

    def _features(self, customer_ids: Sequence[str] | None) -> pd.DataFrame:
        frame = self.features.online(customer_ids)
        names = [one.name for one in self.features.definitions]
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise InvalidInput("feature", missing[0], "The feature store has no such column; refresh it.")
        return frame[names]

    def _inputs(
        self,
        session: Session,
        frame: pd.DataFrame,
        at: datetime,
        offers: tuple[OfferFacts, ...],
        channel: str | None,
        customer_ids: Sequence[str] | None,
    ) -> Inputs:
        if not offers:
            raise InvalidInput("offers", [], "The catalog has no active offer; build the workspace first.")
        known = people(session, customer_ids)
        # the lake may know a customer a moment before the database does; such a customer waits
        frame = frame[frame.index.isin(known.index)]
        known = known.loc[frame.index]
        ids = tuple(str(one) for one in frame.index)
        since = at - timedelta(
            days=max(self.contacts.policy.after_conversion_days, self.contacts.policy.after_unsubscribe_days)
        )
        return Inputs(
            at=at,
            ids=ids,
            zones=tuple(known["zone"]),
            holdout=tuple(bool(one) for one in known["holdout"]),
            features=with_attributes(session, frame, offers),
            offers=offers,
            channels=CHANNELS if channel is None else (require_channel(channel),),
            windows=tuple(WINDOWS),
            consents=receipts(session, customer_ids),
            contacts=self.contacts.contacts(session, customer_ids),
            happenings=_of(self.history.since(since), ids, since),
            contact_policy=self.contacts.policy,
            decision_policy=self.policy,
        )


def _of(found: dict[str, list[Happening]], ids: Sequence[str], since: datetime) -> dict[str, list[Happening]]:
    """Only these customers, only after `since`: the reader may hold a little more."""
    return {
        one: [happening for happening in found[one] if happening.at > since] for one in ids if one in found
    }
