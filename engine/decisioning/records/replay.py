"""Computes a stored decision again from its record and the model files, and names every difference."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smart_reach.engine.canonical import canonical_json, content_hash
from smart_reach.engine.decisioning.arbitration import arbitrate
from smart_reach.engine.decisioning.records.erasure import erased_on, erased_text
from smart_reach.engine.decisioning.records.outcome import compute
from smart_reach.engine.decisioning.records.record import bound_to, inputs_from
from smart_reach.engine.decisioning.tables import DecisionRow
from smart_reach.engine.errors import Integrity, NotFound
from smart_reach.engine.models.store import LoadedModel, ModelStore

_MOST = 20


@dataclass(frozen=True)
class Replay:
    """Whether the decision came out the same, bit for bit, and if not what differs.

    `erased_on`: the day its person was erased; then there is nothing left to compute from.
    """

    decision_id: str
    same: bool
    differences: tuple[str, ...]
    erased_on: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "decision_id": self.decision_id,
            "same": self.same,
            "differences": list(self.differences),
            "erased_on": self.erased_on,
        }


def replay_row(row: DecisionRow, store: ModelStore, proven: str | None) -> Replay:
    """Replay one row. A record that was changed, or a model file, shows as a named difference.

    `proven`: the content hash that the ledger holds for this decision.
    """
    found: list[str] = []
    if (day := erased_on(row)) is not None:
        return Replay(row.id, False, (erased_text(row.id, day),), day)
    try:
        record = json.loads(row.record)
        choice = record["outputs"]["choice"] or {}
    except (ValueError, KeyError, TypeError) as error:
        return Replay(row.id, False, (f"record: it cannot be read any more ({type(error).__name__})",))
    if content_hash(record) != row.content_hash:
        found.append("record: its text is not what was hashed when the decision was taken")
    if proven != row.content_hash:
        found.append("record: its hash is not the one in the ledger")
    for name in ("offer_id", "channel", "window"):
        if getattr(row, name) != choice.get(name):
            found.append(f"row.{name}: {getattr(row, name)!r} is not the record's {choice.get(name)!r}")
    models = _models(record["bound_to"]["models"], store, found)
    if models is not None:
        inputs = inputs_from(record["inputs"])
        outputs = compute(inputs, arbitrate(inputs, models), models)
        found += differences(record["bound_to"], bound_to(inputs, models), "bound_to")
        again = json.loads(canonical_json(outputs))
        # what people saw comes first: a long list of candidates must not hide it
        for part in ("choice", "reason", "facts", "funnel", "candidates"):
            found += differences(record["outputs"].get(part), again[part], f"outputs.{part}")
    return Replay(row.id, not found, tuple(found[:_MOST]))


def _models(
    bound: Mapping[str, Mapping[str, str]], store: ModelStore, found: list[str]
) -> dict[str, LoadedModel] | None:
    """The models as their files are now; None when one cannot be read."""
    models = {}
    for offer_id, one in bound.items():
        try:
            models[offer_id] = store.fresh(one["id"], one["file_hash"])
        except (Integrity, NotFound) as error:
            found.append(f"model {one['id']}: {error.message}")
            return None
    return models


def differences(recorded: Any, again: Any, path: str = "") -> list[str]:
    """One line for each leaf that differs: `outputs.choice.value: recorded 3.1, now 3.2`."""
    if isinstance(recorded, dict) and isinstance(again, dict):
        return [
            line
            for key in sorted(set(recorded) | set(again))
            for line in differences(recorded.get(key), again.get(key), f"{path}.{key}" if path else key)
        ]
    if isinstance(recorded, list) and isinstance(again, list) and len(recorded) == len(again):
        return [
            line
            for number, (left, right) in enumerate(zip(recorded, again, strict=True))
            for line in differences(left, right, f"{path}[{number}]")
        ]
    if canonical_json(recorded) == canonical_json(again):
        return []
    return [f"{path}: recorded {canonical_json(recorded)[:120]}, now {canonical_json(again)[:120]}"]
