"""From arrays to what is stored and shown: funnel in plain words, candidates, the chosen action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from smart_reach.engine.catalog.words import CHANNEL_LABELS
from smart_reach.engine.decisioning.arbitration import (
    CAPS,
    CONSENT,
    ELIGIBILITY,
    HOLDOUT,
    MODEL,
    QUIET,
    STAGES,
    SUPPRESSION,
    VALUE,
    Arbitrated,
    action_matrix,
)
from smart_reach.engine.decisioning.contact.limits import refusing_cap, send_time
from smart_reach.engine.decisioning.inputs import Inputs, plain
from smart_reach.engine.decisioning.policy import Cap, ContactPolicy
from smart_reach.engine.decisioning.records.reason import customer_reason, no_action_reason
from smart_reach.engine.decisioning.rules import first_failing
from smart_reach.engine.models.store import LoadedModel

HOLDOUT_REASON = (
    "The customer is in the holdout group, which gets no campaign so that uplift can be measured."
)


def stage_reason(stage: int, policy: ContactPolicy, detail: str = "") -> str:
    """Why a stage removes actions, in plain words; `detail` names the rules that did."""
    quiet = f"{policy.quiet_start:%H:%M} and {policy.quiet_end:%H:%M}"
    caps = detail or "; ".join(cap.text for cap in policy.caps if cap.limit is not None)
    return {
        HOLDOUT: HOLDOUT_REASON,
        ELIGIBILITY: f"Offers that do not fit: {detail}." if detail else "The offer does not fit.",
        CONSENT: f"No consent for {detail}." if detail else "No consent for the channel.",
        SUPPRESSION: (
            f"Accepted the same offer in the last {policy.after_conversion_days} days, or unsubscribed in "
            f"the last {policy.after_unsubscribe_days} days."
        ),
        CAPS: f"Another message would break the contact policy ({caps}).",
        QUIET: f"It would arrive between {quiet} in the customer's own time.",
        MODEL: "No model has been trained for the offer.",
        VALUE: "The expected value does not cover the channel's cost and the fatigue of one more message.",
    }[stage]


def compute(inputs: Inputs, arbitrated: Arbitrated, models: Mapping[str, LoadedModel]) -> dict[str, Any]:
    """Everything that follows from the inputs of one customer; what replay compares."""
    funnel = _funnel(inputs, arbitrated)
    choice = _choice(inputs, arbitrated, models)
    facts: list[dict[str, Any]] = []
    if choice is None:
        reason, facts = no_action_reason(funnel), []
    else:
        offer = next(offer for offer in inputs.offers if offer.id == choice["offer_id"])
        features = {str(name): plain(inputs.features.iloc[0][name]) for name in inputs.features.columns}
        reason, facts = customer_reason(
            offer.name,
            choice["channel"],
            choice["window"],
            choice["propensity"],
            features,
            models[offer.id].id,
        )
    return {
        "funnel": funnel,
        "candidates": _candidates(inputs, arbitrated),
        "choice": choice,
        "reason": reason,
        "facts": facts,
    }


def _funnel(inputs: Inputs, arbitrated: Arbitrated) -> list[dict[str, Any]]:
    """Stages with counts of actions; `removed` and `left` add up to what came in."""
    codes = arbitrated.removed[0]
    left = int(codes.size)
    funnel = [_stage("considered", "Considered", 0, left, _considered(inputs))]
    for stage in range(1, len(STAGES)):
        removed = int((codes == stage).sum())
        left -= removed
        name, label = STAGES[stage]
        reason = (
            stage_reason(stage, inputs.contact_policy, _detail(stage, inputs, arbitrated)) if removed else ""
        )
        funnel.append(_stage(name, label, removed, left, reason))
    survivors = left
    kept = 1 if survivors else 0
    text = "The action of the highest expected value; equal values go to the first in order." if kept else ""
    funnel.append(_stage("arbitration", "Arbitration", survivors - kept, kept, text))
    return funnel


def _stage(name: str, label: str, removed: int, left: int, reason: str) -> dict[str, Any]:
    return {"stage": name, "label": label, "removed": removed, "left": left, "reason": reason}


def _considered(inputs: Inputs) -> str:
    sizes = (
        (len(inputs.offers), "offer"),
        (len(inputs.channels), "channel"),
        (len(inputs.windows), "window"),
    )
    return " × ".join(f"{size} {name}{'' if size == 1 else 's'}" for size, name in sizes) + "."


def _detail(stage: int, inputs: Inputs, arbitrated: Arbitrated) -> str:
    codes = arbitrated.removed[0]
    if stage == ELIGIBILITY:
        return "; ".join(
            f"{offer.name} ({rule.text})"
            for offer in inputs.offers
            if (rule := first_failing(offer.rules, inputs.features)) is not None
        )
    if stage == CONSENT:
        hit = (codes == CONSENT).any(axis=(0, 2))
        return ", ".join(
            CHANNEL_LABELS[channel] for channel, one in zip(inputs.channels, hit, strict=True) if one
        )
    if stage == CAPS:
        return "; ".join(cap.text for cap in _refusing(inputs, codes))
    return ""


def _refusing(inputs: Inputs, codes: Any) -> list[Cap]:
    """The caps that really removed actions, in the order of the policy."""
    contacts = list(inputs.contacts.get(inputs.ids[0], ()))
    hit = (codes == CAPS).any(axis=0)
    found = {
        refusing_cap(contacts, channel, send_time(inputs.zones[0], window, inputs.at), inputs.contact_policy)
        for column, channel in enumerate(inputs.channels)
        for place, window in enumerate(inputs.windows)
        if hit[column, place]
    }
    return [cap for cap in inputs.contact_policy.caps if cap in found]


def _candidates(inputs: Inputs, arbitrated: Arbitrated) -> list[dict[str, Any]]:
    """Every action with the rule that removed it; a rule that removed a whole offer or channel once."""
    found: list[dict[str, Any]] = []
    for number, offer in enumerate(inputs.offers):
        codes = arbitrated.removed[0, number]
        rule = first_failing(offer.rules, inputs.features)
        if _one_stage(codes):
            found.append(_removed(offer.id, None, None, int(codes.flat[0]), rule.text if rule else ""))
            continue
        for column, channel in enumerate(inputs.channels):
            if _one_stage(codes[column]) and codes[column, 0] != VALUE:
                found.append(_removed(offer.id, channel, None, int(codes[column, 0])))
                continue
            for place, window in enumerate(inputs.windows):
                found.append(_scored(inputs, arbitrated, number, column, place) | {"window": window})
    return found


def _one_stage(codes: Any) -> bool:
    return bool(codes.flat[0] != 0 and codes.flat[0] != VALUE and (codes == codes.flat[0]).all())


def _removed(
    offer_id: str, channel: str | None, window: str | None, stage: int, rule: str = ""
) -> dict[str, Any]:
    return {
        "offer_id": offer_id,
        "channel": channel,
        "window": window,
        "removed_by": STAGES[stage][0],
        "rule": rule if stage == ELIGIBILITY else "",
        "propensity": None,
        "value": None,
    }


def _scored(inputs: Inputs, arbitrated: Arbitrated, offer: int, channel: int, window: int) -> dict[str, Any]:
    place = (0, offer, channel, window)
    p, value = float(arbitrated.propensity[place]), float(arbitrated.value[place])
    return {
        "offer_id": inputs.offers[offer].id,
        "channel": inputs.channels[channel],
        "window": inputs.windows[window],
        "removed_by": STAGES[int(arbitrated.removed[place])][0] or None,
        "rule": "",
        "propensity": None if np.isnan(p) else p,
        "value": None if np.isnan(value) else value,
    }


def _choice(
    inputs: Inputs, arbitrated: Arbitrated, models: Mapping[str, LoadedModel]
) -> dict[str, Any] | None:
    best = arbitrated.best(0)
    if best is None:
        return None
    number, column, place = best
    offer, channel, window = inputs.offers[number], inputs.channels[column], inputs.windows[place]
    model = models[offer.id]
    base = model.encode(inputs.features)
    scored = model.score(action_matrix(inputs, model, base, np.array([column]), np.array([place])))
    return {
        "offer_id": offer.id,
        "channel": channel,
        "window": window,
        "send_at": send_time(inputs.zones[0], window, inputs.at).isoformat(),
        "propensity": float(scored.propensity[0]),
        "low": float(scored.low[0]),
        "high": float(scored.high[0]),
        "raw_score": float(scored.raw[0]),
        "value": float(arbitrated.value[0, number, column, place]),
        "currency": offer.currency,
        "margin_minor": offer.margin_minor,
        "channel_cost_minor": float(inputs.decision_policy.channel_cost_minor.get(channel, 0.0)),
        "fatigue_cost_minor": inputs.decision_policy.fatigue_minor * int(arbitrated.messages_30d[0]),
        "messages_30d": int(arbitrated.messages_30d[0]),
        "base_score": float(scored.contributions[0, -1]),
        "contributions": _contributions(model, inputs, scored.contributions[0], channel, window),
    }


def _contributions(
    model: LoadedModel, inputs: Inputs, values: Any, channel: str, window: str
) -> list[dict[str, Any]]:
    """Log-odds that each feature adds, largest first. Together with `base_score` they make `raw_score`."""
    row = inputs.features.iloc[0]
    action = {"channel": channel, "window": window, "offer_id": model.offer_id}
    found = [
        {
            "feature": column.name,
            "label": column.label,
            "value": action.get(column.name, plain(row.get(column.name))),
            "contribution": float(value),
        }
        for column, value in zip(model.encoder.columns, values[:-1], strict=True)
    ]
    return sorted(found, key=lambda one: (-abs(one["contribution"]), one["feature"]))
