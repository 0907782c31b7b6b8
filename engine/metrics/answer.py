"""The answer to a question, as the copilot shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from smart_reach.engine.metrics.answering.story import Fact
from smart_reach.engine.metrics.questions.clarify import Clarification
from smart_reach.engine.metrics.questions.refusals import Refusal
from smart_reach.engine.metrics.spec import QuerySpec


@dataclass(frozen=True)
class Answer:
    """What the copilot shows for a question. `as_json` has the Message fields it fills."""

    text: str
    facts: tuple[Fact, ...] = ()
    trust: str = "none"
    chart: dict[str, Any] | None = None
    table: dict[str, Any] | None = None
    spec: QuerySpec | None = None
    spec_text: str | None = None
    sql: str | None = None
    row_count: int | None = None
    freshness: str | None = None
    clarification: Clarification | None = None
    refusal: Refusal | None = None
    notes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        ask = self.clarification
        return {
            "text": self.text,
            "facts": [fact.as_json() for fact in self.facts],
            "trust": self.trust,
            "chart": self.chart,
            "table": self.table,
            "spec": self.spec.as_json() if self.spec else None,
            "spec_text": self.spec_text,
            "sql": self.sql,
            "row_count": self.row_count,
            "freshness": self.freshness,
            "clarification": {"question": ask.question, "choices": list(ask.choices)} if ask else None,
            "refusal": {
                "code": self.refusal.code,
                "text": self.refusal.text,
                "choices": list(self.refusal.choices),
            }
            if self.refusal
            else None,
            "declined": self.refusal is not None,
        }
