"""One action for a whole segment: the offer × channel × window of the highest total expected value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from smart_reach.engine.canonical import canonical_json, content_hash
from smart_reach.engine.catalog.words import CHANNEL_LABELS, WINDOWS
from smart_reach.engine.decisioning.arbitration import Arbitrated, arbitrate
from smart_reach.engine.decisioning.gather import Gatherer
from smart_reach.engine.decisioning.inputs import Inputs
from smart_reach.engine.decisioning.records.reason import segment_reason
from smart_reach.engine.decisioning.segment_outcome import (
    Action,
    audience_rows,
    best_action,
    funnel,
    nothing,
    risk,
    runners_up,
    shown_table,
    versions,
)
from smart_reach.engine.decisioning.segments import Segment, segment
from smart_reach.engine.decisioning.tables import DECISION_NUMBERS, SegmentDecisionRow
from smart_reach.engine.decisioning.uplift import measured_uplift
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.models.store import LoadedModel, ModelStore
from smart_reach.engine.money import money
from smart_reach.engine.ports import LedgerWriter, Progress
from smart_reach.engine.state.base import transaction

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace


@dataclass(frozen=True)
class SegmentDecision:
    """A stored segment decision. `audience`: customer ids, highest value first."""

    id: str
    record: Mapping[str, Any]
    audience: tuple[str, ...]
    content_hash: str

    @property
    def action(self) -> Mapping[str, Any] | None:
        chosen: Mapping[str, Any] | None = self.record["action"]
        return chosen

    @property
    def count(self) -> int:
        return len(self.audience)

    def as_json(self) -> dict[str, Any]:
        """Like the record, without the customer ids (they are many; see `audience`)."""
        return {
            "decision_id": self.id,
            **{key: value for key, value in self.record.items() if key not in ("schema", "decision_id")},
            "table": shown_table(self.record),
            "content_hash": self.content_hash,
        }


class SegmentDecider:
    """Decides for segments and keeps the result in `segment_decisions` and the ledger."""

    def __init__(self, ws: Workspace, ledger: LedgerWriter, gather: Gatherer, models: ModelStore) -> None:
        self._ws, self._ledger, self._gather, self._models = ws, ledger, gather, models

    def decide(
        self,
        segment_id: str,
        *,
        offer_id: str | None,
        channel: str | None,
        actor: str,
        limit: int | None,
        progress: Progress,
    ) -> SegmentDecision:
        if limit is not None and limit < 1:
            raise InvalidInput("limit", limit, "Use a positive number of customers, or none.")
        chosen, at = segment(segment_id), self._ws.clock.now()
        progress(0.0, "reading features")
        frame = self._gather.everyone()
        frame = frame[chosen.members(frame)]
        with Session(self._ws.db) as session:
            inputs = self._gather.many(session, frame, at, offer_id, channel)
            models = self._models.serving(session)
        progress(0.1, "features read")
        result = arbitrate(inputs, models, progress)
        record, audience = self._record(chosen, inputs, models, result, limit)
        record["requested"] = {"offer_id": offer_id, "channel": channel, "limit": limit}
        stored = self._store(record, audience, actor)
        progress(1.0, "decision stored")
        return stored

    def get(self, decision_id: str) -> SegmentDecision:
        with Session(self._ws.db) as session:
            row = session.get(SegmentDecisionRow, decision_id)
        if row is None:
            raise NotFound(
                f"There is no segment decision {decision_id!r}.", hint="Their ids look like SEG-000001."
            )
        return SegmentDecision(row.id, json.loads(row.record), tuple(row.audience), row.content_hash)

    def _record(
        self,
        chosen: Segment,
        inputs: Inputs,
        models: Mapping[str, LoadedModel],
        result: Arbitrated,
        limit: int | None,
    ) -> tuple[dict[str, Any], list[str]]:
        totals = np.where(result.removed == 0, result.value, 0.0).sum(axis=0)
        best = best_action(totals)
        ranked = audience_rows(result, best, limit)
        audience = [inputs.ids[row] for row in ranked]
        record = {
            "schema": 1,
            "at": inputs.at.isoformat(),
            "segment": {
                "id": chosen.id,
                "label": chosen.label,
                "description": chosen.description,
                "why": chosen.why(inputs.features.columns),
                "size": len(inputs.ids),
            },
            "funnel": funnel(inputs, result, best, len(ranked)),
            "runners_up": runners_up(inputs, result, totals),
            "count": len(audience),
            "audience_hash": content_hash(audience),
            **self._chosen(chosen, inputs, models, result, best, ranked),
            **versions(inputs, models, best),
        }
        return record, audience

    def _chosen(
        self,
        chosen: Segment,
        inputs: Inputs,
        models: Mapping[str, LoadedModel],
        result: Arbitrated,
        best: Action | None,
        ranked: npt.NDArray[np.int64],
    ) -> dict[str, Any]:
        if best is None:
            return nothing(chosen, inputs, result)
        offer, channel, window = inputs.offers[best[0]], inputs.channels[best[1]], inputs.windows[best[2]]
        propensity = float(result.propensity[(ranked, *best)].mean())
        total = float(result.value[(ranked, *best)].sum())
        low, high = models[offer.id].intervals(np.array([propensity]))
        display = money(total, offer.currency)
        uplift = measured_uplift(self._ws, offer.id, channel)
        reason, facts = segment_reason(
            chosen.label,
            len(inputs.ids),
            len(ranked),
            offer.name,
            channel,
            window,
            propensity,
            display,
            models[offer.id].id,
        )
        return {
            "action": {
                "offer_id": offer.id,
                "offer": offer.name,
                "category": offer.category,
                "channel": channel,
                "channel_label": CHANNEL_LABELS[channel],
                "window": window,
                "window_label": WINDOWS[window].label,
            },
            "propensity": propensity,
            "interval": [float(low[0]), float(high[0])],
            "expected_value": {"minor": round(total), "currency": offer.currency, "display": display},
            "uplift": uplift.as_json(),
            "risk": risk(len(ranked), offer.category, uplift),
            "reason": reason,
            "facts": facts,
        }

    def _store(self, record: dict[str, Any], audience: list[str], actor: str) -> SegmentDecision:
        with transaction(self._ws.db) as session:
            decision_id = f"SEG-{session.scalar(DECISION_NUMBERS.next_value()):06d}"
            record["decision_id"] = decision_id
            digest, action = content_hash(record), record["action"] or {}
            entry = self._ledger(
                session,
                kind="segment_decision",
                subject=decision_id,
                actor=actor,
                payload={"content_hash": digest, "segment": record["segment"]["id"], "count": len(audience)},
            )
            session.add(
                SegmentDecisionRow(
                    id=decision_id,
                    segment_id=record["segment"]["id"],
                    at=self._ws.clock.now(),
                    offer_id=action.get("offer_id"),
                    channel=action.get("channel"),
                    window=action.get("window"),
                    actor=actor,
                    audience=audience,
                    record=canonical_json(record),
                    content_hash=digest,
                    ledger_seq=entry,
                )
            )
        return SegmentDecision(decision_id, json.loads(canonical_json(record)), tuple(audience), digest)
