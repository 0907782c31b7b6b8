"""From a parsed question to an answer: execute, order, cut, narrate, with every fallback explicit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from smart_reach.engine.errors import (
    Integrity,
    InvalidInput,
    Retryable,
    SmartReachError,
    Unanswerable,
    Unavailable,
)
from smart_reach.engine.metrics.anomalies import Anomaly, daily_arrays
from smart_reach.engine.metrics.answer import Answer
from smart_reach.engine.metrics.answering import cohorts, contributions, odd_days
from smart_reach.engine.metrics.answering.charts import arrange, chart_of, table_of
from smart_reach.engine.metrics.answering.narrator import Narrator
from smart_reach.engine.metrics.answering.story import Story
from smart_reach.engine.metrics.compile import GROUP_SIZE, PERIOD
from smart_reach.engine.metrics.drivers import analyse
from smart_reach.engine.metrics.execute import Result
from smart_reach.engine.metrics.model import Metric, SemanticModel
from smart_reach.engine.metrics.questions.parser import Parsed
from smart_reach.engine.metrics.questions.periods import Anchor
from smart_reach.engine.metrics.questions.refusals import Refusal
from smart_reach.engine.metrics.spec import Period, QuerySpec, day_text, describe, filter_text

ANOMALY_DAYS = 90
Run = Callable[[QuerySpec], Result]


class Analyst:
    """Answers one question. `moved`: relative dates count from the newest event."""

    def __init__(
        self,
        model: SemanticModel,
        run: Run,
        newest: datetime | None,
        now: datetime,
        anchor: Anchor,
        moved: bool,
        oldest: datetime | None = None,
    ) -> None:
        self.model, self.run, self.newest, self.now = model, run, newest, now
        self.anchor, self.moved, self.oldest = anchor, moved, oldest

    def answer(self, parsed: Parsed) -> Answer:
        """The answer, the question back or the refusal."""
        if parsed.refusal is not None:
            return Answer(_refusal_text(parsed.refusal), refusal=parsed.refusal)
        if parsed.clarification is not None:
            return Answer(
                parsed.clarification.question, clarification=parsed.clarification, notes=parsed.notes
            )
        assert parsed.spec is not None
        try:
            return self._answered(parsed, parsed.spec)
        except (Retryable, Unavailable) as error:
            return declined(error)

    def _answered(self, parsed: Parsed, spec: QuerySpec) -> Answer:
        if spec.intent == "drivers":
            return self._drivers(parsed, spec)
        if spec.intent == "anomalies":
            return self._anomalies(parsed, spec)
        result = self.run(replace(spec, comparison=None))
        earlier = (
            self.run(replace(spec, period=spec.comparison, comparison=None)) if spec.comparison else None
        )
        rows = arrange(result, spec, self.model)
        before = list(earlier.rows) if earlier else None
        keys = result.keys
        comparable = before if PERIOD not in keys else None
        story = Narrator(spec, self.model, result, rows, comparable).tell(parsed.intro)
        self._anchored(story, spec)
        empty = not any(row[id] is not None for row in rows for id in spec.metrics)
        if empty or not any(row[GROUP_SIZE] for row in rows):
            self._reaching(story)
        return self._finish(
            parsed,
            spec,
            story,
            fallback="The table holds the figures.",
            chart=None if empty else chart_of(spec, self.model, keys, rows, comparable),
            table=None if empty else table_of(spec, self.model, keys, rows, comparable),
            sql=result.sql,
            row_count=0 if empty else len(rows),
        )

    def _anchored(self, story: Story, spec: QuerySpec) -> None:
        if self.moved and spec.period is not None:
            day = day_text(self.anchor.day)
            slot = story.fact(day, day, "newest event")
            story.say(f"The data ends on {slot}, so relative dates count from there.")

    def _reaching(self, story: Story) -> None:
        """Which days there are, for a question about others."""
        if self.oldest is None or self.newest is None:
            return
        zone = ZoneInfo(self.model.zone)
        first, last = (day_text(at.astimezone(zone).date()) for at in (self.oldest, self.newest))
        a, b = story.fact(first, first, "oldest event"), story.fact(last, last, "newest event")
        story.say(f"The data reaches from {a} to {b}.")

    def cohorts(self, parsed: Parsed, page: dict[str, Any]) -> Answer:
        """The weekly cohorts of an Overview page."""
        assert parsed.spec is not None
        story = Story()
        cohorts.tell(story, page["cohorts"])
        named = " and ".join(filter_text(f, self.model) for f in parsed.spec.filters)
        return Answer(
            story.text(),
            tuple(story.facts),
            parsed.trust,
            table=cohorts.table(page["cohorts"]),
            spec_text=page["cohorts"]["title"] + (f", where {named}" if named else ""),
            row_count=len(page["cohorts"]["rows"]),
            freshness=self.freshness(),
            notes=parsed.notes,
        )

    def _finish(
        self, parsed: Parsed, spec: QuerySpec, story: Story, *, fallback: str, **shown: object
    ) -> Answer:
        try:
            text = story.text()
        except Integrity:
            # a figure without its cell must never be shown: the words go, table and chart stay
            text = fallback
        spec_text = describe(spec, self.model)
        if parsed.notes:
            spec_text += " · " + "; ".join(parsed.notes)
        return Answer(
            text,
            tuple(story.facts),
            parsed.trust,
            spec=spec,
            spec_text=spec_text,
            freshness=self.freshness(),
            notes=parsed.notes,
            **shown,  # type: ignore[arg-type]
        )

    def freshness(self) -> str:
        """How old the newest event is, in words."""
        if self.newest is None:
            return "no events yet"
        age = max(self.now - self.newest, timedelta())
        if age < timedelta(minutes=2):
            return "data up to now"
        if age < timedelta(hours=2):
            return f"data up to {age.seconds // 60} minutes ago"
        if age < timedelta(days=2):
            return f"data up to {int(age.total_seconds()) // 3600} hours ago"
        return f"data up to {day_text(self.newest.date())}"

    def _drivers(self, parsed: Parsed, spec: QuerySpec) -> Answer:
        drivers = analyse(spec, self.model, self.run)
        story = Story()
        if math.isnan(drivers.now) or not drivers.cuts:
            contributions.tell_nothing(story, spec)
            return self._finish(parsed, spec, story, fallback="No data.", row_count=0)
        contributions.tell(story, drivers, spec, self.model, asked=parsed.text)
        self._anchored(story, spec)
        return self._finish(
            parsed,
            spec,
            story,
            fallback="The table holds the contributions.",
            table=contributions.table(drivers, self.model),
            chart=contributions.chart(drivers, self.model),
            sql=drivers.sql,
            row_count=len(drivers.cuts[0].parts),
        )

    def _anomalies(self, parsed: Parsed, spec: QuerySpec) -> Answer:
        metrics = [self.model.metric(id) for id in spec.metrics]
        for metric in metrics:
            if not self._daily(metric):
                text = f"{metric.label} cannot be judged day by day. Ask about a rate or a sum."
                return declined(Unanswerable(text))
        found = [a for metric in metrics for a in self.anomalies(metric.id, ANOMALY_DAYS, spec)]
        found.sort(key=lambda a: (a.at, abs(a.z)), reverse=True)
        story = Story()
        period = spec.period or self._watched_days(ANOMALY_DAYS)
        odd_days.tell(story, found, metrics, period, self.model.currency)
        self._anchored(story, spec)
        return self._finish(
            parsed,
            replace(spec, period=period),
            story,
            fallback="The table holds the days.",
            table=odd_days.table(found, metrics) if found else None,
            row_count=len(found),
        )

    def _daily(self, metric: Metric) -> bool:
        timed = self.model.sources[metric.source].time is not None
        return timed and (metric.is_ratio or metric.additive)

    def _watched_days(self, days: int) -> Period:
        end = self.anchor.day - timedelta(days=0 if self.moved else 1)  # today is not over yet
        return Period(end - timedelta(days=days - 1), end)

    def anomalies(self, metric_id: str, days: int, spec: QuerySpec | None = None) -> list[Anomaly]:
        """Anomalous days of a metric in the last `days` days; none for metrics without days."""
        metric = self.model.metric(metric_id)
        if not self._daily(metric):
            return []
        period = self._watched_days(days)
        if spec is not None and spec.period is not None and spec.period.start < period.start:
            period = Period(spec.period.start - timedelta(days=28), period.end)
        end = period.end
        query = QuerySpec((metric_id,), filters=spec.filters if spec else (), period=period, grain="day")
        rows: list[tuple[date, Any, Any]] = [
            (r[PERIOD], r.get(f"{metric_id}__num", r[metric_id]), r.get(f"{metric_id}__den", 0))
            for r in self.run(query).rows
        ]
        if not rows:
            return []
        start = max(period.start, min(row[0] for row in rows))
        dates, num, den = daily_arrays(rows, start, end)
        if metric.is_ratio and np.count_nonzero(den) * 2 < len(den):
            return []  # cases on a few days only have no weekly course to deviate from
        out = odd_days.anomalies(metric, dates, num, den if metric.is_ratio else None, self.model.currency)
        if spec is not None and spec.period is not None:
            out = [a for a in out if spec.period.start <= a.at <= spec.period.end]
        return sorted(out, key=lambda a: a.at, reverse=True)


def declined(error: SmartReachError) -> Answer:
    """What the data or the time allowed cannot answer: said politely, not as a crash of the chat."""
    if isinstance(error, InvalidInput):
        return Answer(error.remedy, refusal=Refusal(error.code, error.remedy))
    refusal = Refusal(error.code, error.message + (f" {error.hint}" if error.hint else ""))
    return Answer(refusal.text, refusal=refusal)


def _refusal_text(refusal: Refusal) -> str:
    if not refusal.choices:
        return refusal.text
    return f"{refusal.text} You can ask, for example: {refusal.choices[0]}"
