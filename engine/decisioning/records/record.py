"""The decision record: inputs as used, in JSON and back, so that the decision can be computed again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from smart_reach.engine.canonical import content_hash
from smart_reach.engine.catalog.words import CHANNEL_LABELS, WINDOWS
from smart_reach.engine.decisioning.contact.history import Happening
from smart_reach.engine.decisioning.contact.limits import Contact
from smart_reach.engine.decisioning.inputs import Inputs, OfferFacts, Receipt, plain
from smart_reach.engine.decisioning.policy import ContactPolicy, DecisionPolicy
from smart_reach.engine.models.store import LoadedModel
from smart_reach.engine.money import money


@dataclass(frozen=True)
class Decision:
    """A stored decision. `record` holds `inputs`, `bound_to` and `outputs`."""

    id: str
    record: Mapping[str, Any]
    content_hash: str

    @property
    def choice(self) -> Mapping[str, Any] | None:
        chosen: Mapping[str, Any] | None = self.record["outputs"]["choice"]
        return chosen

    @property
    def action(self) -> dict[str, str] | None:
        """What to do, with the labels that people read; None when nothing should be sent."""
        if self.choice is None:
            return None
        offers = {offer["id"]: offer["name"] for offer in self.record["inputs"]["offers"]}
        return {
            "offer_id": self.choice["offer_id"],
            "offer": offers[self.choice["offer_id"]],
            "channel": self.choice["channel"],
            "channel_label": CHANNEL_LABELS[self.choice["channel"]],
            "window": self.choice["window"],
            "window_label": WINDOWS[self.choice["window"]].label,
            "send_at": self.choice["send_at"],
        }

    def as_json(self) -> dict[str, Any]:
        """The body of `POST /api/decisions`."""
        outputs, choice, bound = self.record["outputs"], self.choice, self.record["bound_to"]
        chosen = choice or {}
        scored = [one for one in outputs["candidates"] if one["value"] is not None]
        top = sorted(scored, key=lambda one: -one["value"])[:5]
        return {
            "decision_id": self.id,
            "customer_id": self.record["inputs"]["customer_id"],
            "action": self.action,
            "propensity": chosen.get("propensity"),
            "interval": [chosen["low"], chosen["high"]] if choice else None,
            "expected_value": (
                {
                    "minor": round(chosen["value"]),
                    "currency": chosen["currency"],
                    "display": money(chosen["value"], chosen["currency"]),
                }
                if choice
                else None
            ),
            "reason": outputs["reason"],
            "facts": outputs["facts"],
            "funnel": outputs["funnel"],
            "candidates": [
                {key: one[key] for key in ("offer_id", "channel", "window", "propensity")}
                | {"value_minor": round(one["value"])}
                for one in top
            ],
            "contributions": chosen.get("contributions", []),
            "policy_version": f"{bound['decision_policy']['name']} + {bound['contact_policy']['name']}",
            "model_version": bound["models"].get(chosen.get("offer_id", ""), {}).get("id"),
            "at": self.record["inputs"]["at"],
            "reservation_id": self.record["reservation_id"],
            "content_hash": self.content_hash,
        }


def inputs_json(inputs: Inputs) -> dict[str, Any]:
    """The inputs of one customer as data."""
    customer_id = inputs.ids[0]
    row = inputs.features.iloc[0]
    return {
        "at": inputs.at.isoformat(),
        "customer_id": customer_id,
        "zone": inputs.zones[0],
        "holdout": inputs.holdout[0],
        "features": {str(name): plain(row[name]) for name in inputs.features.columns},
        "offers": [offer.as_json() for offer in inputs.offers],
        "channels": list(inputs.channels),
        "windows": list(inputs.windows),
        "consents": {
            channel: {"receipt": receipt.id, "granted": receipt.granted}
            for channel, receipt in sorted(inputs.consents.get(customer_id, {}).items())
        },
        "contacts": [[one.channel, one.at.isoformat()] for one in inputs.contacts.get(customer_id, ())],
        "happenings": [
            [one.kind, one.at.isoformat(), one.offer_id] for one in inputs.happenings.get(customer_id, ())
        ],
        "contact_policy": inputs.contact_policy.as_json(),
        "decision_policy": inputs.decision_policy.as_json(),
    }


def inputs_from(value: Mapping[str, Any]) -> Inputs:
    """The inputs again, from the record alone."""
    customer_id = value["customer_id"]
    features = pd.DataFrame([value["features"]], index=pd.Index([customer_id], name="customer_id"))
    return Inputs(
        at=datetime.fromisoformat(value["at"]),
        ids=(customer_id,),
        zones=(value["zone"],),
        holdout=(value["holdout"],),
        features=features,
        offers=tuple(OfferFacts.from_json(offer) for offer in value["offers"]),
        channels=tuple(value["channels"]),
        windows=tuple(value["windows"]),
        consents={
            customer_id: {
                channel: Receipt(one["receipt"], one["granted"]) for channel, one in value["consents"].items()
            }
        },
        contacts={
            customer_id: [Contact(channel, datetime.fromisoformat(at)) for channel, at in value["contacts"]]
        },
        happenings={
            customer_id: [
                Happening(kind, datetime.fromisoformat(at), offer_id)
                for kind, at, offer_id in value["happenings"]
            ]
        },
        contact_policy=ContactPolicy.from_json(value["contact_policy"]),
        decision_policy=DecisionPolicy.from_json(value["decision_policy"]),
    )


def bound_to(inputs: Inputs, models: Mapping[str, LoadedModel]) -> dict[str, Any]:
    """Hashes and versions of everything outside the record that the decision rests on."""
    used: Sequence[OfferFacts] = inputs.offers
    return {
        "models": {
            offer.id: {"id": models[offer.id].id, "file_hash": models[offer.id].file_hash}
            for offer in used
            if offer.id in models
        },
        "contact_policy": {"name": inputs.contact_policy.name, "hash": inputs.contact_policy.hash},
        "decision_policy": {"name": inputs.decision_policy.name, "hash": inputs.decision_policy.hash},
        "features_hash": (content_hash(inputs_json(inputs)["features"]) if len(inputs.ids) == 1 else None),
        "seed": inputs.decision_policy.seed,
        "draw": "highest expected value; ties to the first offer, channel, window",
    }
