"""The pure part of a segment's decision: the best action, its audience, funnel, runners-up and risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from smart_reach.engine.catalog.words import CHANNEL_LABELS, WINDOWS
from smart_reach.engine.decisioning.arbitration import STAGES, Arbitrated
from smart_reach.engine.decisioning.inputs import Inputs
from smart_reach.engine.decisioning.records.outcome import stage_reason
from smart_reach.engine.decisioning.records.record import bound_to
from smart_reach.engine.decisioning.segments import Segment
from smart_reach.engine.decisioning.uplift import Uplift
from smart_reach.engine.models.store import LoadedModel

Action = tuple[int, int, int]


def best_action(totals: npt.NDArray[np.float64]) -> Action | None:
    if not totals.size or totals.max() <= 0:
        return None
    offer, channel, window = np.unravel_index(int(np.argmax(totals)), totals.shape)
    return int(offer), int(channel), int(window)


def audience_rows(result: Arbitrated, best: Action | None, limit: int | None) -> npt.NDArray[np.int64]:
    """Rows of the audience, highest value first; equal values in the order of ids."""
    if best is None:
        return np.empty(0, dtype=np.int64)
    rows = np.flatnonzero(result.removed[(slice(None), *best)] == 0)
    order = np.argsort(-result.value[(rows, *best)], kind="stable")
    return rows[order][:limit]


def funnel(inputs: Inputs, result: Arbitrated, best: Action | None, kept: int) -> list[dict[str, Any]]:
    """Stages with counts of customers, for the chosen action (or for any action when there is none)."""
    n = len(inputs.ids)
    if best is not None:
        codes = result.removed[(slice(None), *best)]
    else:
        # the stage that the last action of the customer reached
        codes = result.removed.reshape(n, -1).max(axis=1) if n else np.empty(0, dtype=np.uint8)
    left = n
    first = {"stage": "segment", "label": "In the segment", "removed": 0, "left": n, "reason": ""}
    stages: list[dict[str, Any]] = [first]
    for stage in range(1, len(STAGES)):
        removed = int((codes == stage).sum())
        left -= removed
        detail = _detail(inputs, best, STAGES[stage][0])
        reason = stage_reason(stage, inputs.contact_policy, detail) if removed else ""
        name, label = STAGES[stage]
        stages.append({"stage": name, "label": label, "removed": removed, "left": left, "reason": reason})
    if best is not None:
        reason = "The campaign's limit keeps those of the highest expected value." if left > kept else ""
        stages.append(
            {"stage": "limit", "label": "Limit", "removed": left - kept, "left": kept, "reason": reason}
        )
    return stages


def _detail(inputs: Inputs, best: Action | None, stage: str) -> str:
    if best is None:
        return ""
    if stage == "eligibility":
        offer = inputs.offers[best[0]]
        return f"{offer.name} needs: {'; '.join(rule.text for rule in offer.rules)}"
    return CHANNEL_LABELS[inputs.channels[best[1]]] if stage == "consent" else ""


def runners_up(
    inputs: Inputs, result: Arbitrated, totals: npt.NDArray[np.float64], most: int = 8
) -> list[dict[str, Any]]:
    """The best actions of each offer × channel after the chosen one, by total expected value."""
    found: list[dict[str, Any]] = []
    for number, offer in enumerate(inputs.offers):
        for column, channel in enumerate(inputs.channels):
            place = int(np.argmax(totals[number, column]))
            total = float(totals[number, column, place])
            alive = result.removed[:, number, column, place] == 0
            if total <= 0:
                continue
            found.append(
                {
                    "offer_id": offer.id,
                    "offer": offer.name,
                    "channel": channel,
                    "window": inputs.windows[place],
                    "count": int(alive.sum()),
                    "propensity": float(result.propensity[alive, number, column, place].mean()),
                    "value_minor": round(total),
                }
            )
    return sorted(found, key=lambda one: (-one["value_minor"], one["offer_id"], one["channel"]))[1 : most + 1]


def nothing(chosen: Segment, inputs: Inputs, result: Arbitrated) -> dict[str, Any]:
    stages = funnel(inputs, result, None, 0)
    last = max(stages, key=lambda stage: stage["removed"])
    text = last["reason"] or "The segment is empty."
    return {
        "action": None,
        "propensity": None,
        "interval": None,
        "expected_value": None,
        "uplift": None,
        "risk": "low",
        "reason": f"No action for {chosen.label} now: {text[:1].lower()}{text[1:]}",
        "facts": [],
    }


def risk(count: int, category: str, uplift: Uplift) -> str:
    """high: credit or a measured loss in a large audience; medium: credit, large or unmeasured; else low."""
    harmful = uplift.value is not None and uplift.value < 0
    credit = category in ("card", "loan")
    points = int(credit) + int(count > 5000) + int(uplift.value is None) + 2 * int(harmful)
    return "high" if points >= 3 else "medium" if points else "low"


def versions(inputs: Inputs, models: Mapping[str, LoadedModel], best: Action | None) -> dict[str, Any]:
    bound = bound_to(inputs, models)
    chosen = None if best is None else models[inputs.offers[best[0]].id].id
    return {
        "bound_to": bound,
        "model_version": chosen,
        "model_versions": {offer: one["id"] for offer, one in bound["models"].items()},
        "policy_version": f"{bound['decision_policy']['name']} + {bound['contact_policy']['name']}",
    }


_COLUMNS = (
    ("offer", "Offer", "text"),
    ("channel", "Channel", "text"),
    ("window", "Window", "text"),
    ("count", "Customers", "count"),
    ("propensity", "Mean propensity", "percent"),
    ("value", "Expected value", "money"),
)


def shown_table(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The chosen action and its runners-up as a table to show; None when there is no action."""
    if record["action"] is None:
        return None
    value = record["expected_value"]
    chosen = {
        **record["action"],
        "count": record["count"],
        "propensity": record["propensity"],
        "value_minor": value["minor"],
    }
    return {
        "title": "What was considered, best first",
        "columns": [{"id": name, "label": label, "unit": unit} for name, label, unit in _COLUMNS],
        "rows": [
            [
                one["offer"],
                CHANNEL_LABELS[one["channel"]],
                WINDOWS[one["window"]].label,
                one["count"],
                one["propensity"],
                one["value_minor"],
            ]
            for one in (chosen, *record["runners_up"])
        ],
    }
