"""From a parsed question to an answer: execute, order, cut, narrate, with every fallback explicit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from smart_reach.engine.errors import Integrity, Retryable, Unavailable
from smart_reach.engine.metrics.anomalies import Anomaly, daily_arrays, detect, severity_of
from smart_reach.engine.metrics.answer import Answer, Narrator
from smart_reach.engine.metrics.charts import chart_of, order_key, table_of
from smart_reach.engine.metrics.compile import PERIOD
from smart_reach.engine.metrics.drivers import REST, Drivers, analyse
from smart_reach.engine.metrics.execute import Result, Row
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.narrate import Story, show, show_change
from smart_reach.engine.metrics.questions.dates import Anchor
from smart_reach.engine.metrics.questions.parser import Parsed
from smart_reach.engine.metrics.questions.refusals import Refusal
from smart_reach.engine.metrics.spec import Period, QuerySpec, day_text, describe

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
    ) -> None:
        self.model, self.run, self.newest, self.now, self.anchor, self.moved = (
            model,
            run,
            newest,
            now,
            anchor,
            moved,
        )

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
            # the data or the time allowed cannot answer it: said as a refusal, not as a crash of the chat
            refusal = Refusal(error.code, error.message + (f" {error.hint}" if error.hint else ""))
            return Answer(refusal.text, refusal=refusal)

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
        narrator = Narrator(spec, self.model, result, rows, comparable)
        story = narrator.tell()
        self._anchored(story, spec)
        empty = not any(row[id] is not None for row in rows for id in spec.metrics)
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
        metric = self.model.metric(drivers.metric)
        assert spec.period is not None
        assert spec.comparison is not None
        dates = story.fact(spec.period.dates, spec.period.dates, "period")
        if math.isnan(drivers.now) or not drivers.cuts:
            story.say(f"There is nothing to report: no comparable data for {dates}.")
            return self._finish(parsed, spec, story, fallback="No data.", row_count=0)
        self._tell_drivers(story, drivers, spec)
        self._anchored(story, spec)
        cut = drivers.cuts[0]
        unit = "points" if metric.unit == "percent" else metric.unit
        table = {
            "columns": [{"id": cut.dimension, "label": cut.label, "unit": ""}]
            + [{"id": n, "label": n.capitalize(), "unit": unit} for n in ("contribution", "mix", "rate")],
            "rows": [[p.label, p.contribution, p.mix, p.rate] for p in cut.parts],
        }
        series = [{"name": "Contribution", "values": [p.contribution for p in cut.parts], "unit": unit}]
        chart = {
            "type": "bar",
            "title": f"Contribution to the change of {metric.label}",
            "x": {"label": cut.label, "values": [p.label for p in cut.parts]},
            "series": series,
        }
        return self._finish(
            parsed,
            spec,
            story,
            fallback="The table holds the contributions.",
            table=table,
            chart=chart,
            sql=drivers.sql,
            row_count=len(cut.parts),
        )

    def _tell_drivers(self, story: Story, drivers: Drivers, spec: QuerySpec) -> None:
        metric = self.model.metric(drivers.metric)
        assert spec.period is not None
        assert spec.comparison is not None
        currency = self.model.currency
        unit = "points" if metric.unit == "percent" else metric.unit
        now = story.fact(drivers.now, show(drivers.now, metric.unit, currency), f"period · {metric.id}")
        before = story.fact(
            drivers.before, show(drivers.before, metric.unit, currency), f"comparison · {metric.id}"
        )
        size = story.fact(
            drivers.change,
            show_change(drivers.now, drivers.before, metric.unit, currency),
            f"derived · change of {metric.id}",
        )
        dates = story.fact(spec.period.dates, spec.period.dates, "period")
        past = story.fact(spec.comparison.dates, spec.comparison.dates, "comparison period")
        moved = "rose" if drivers.change > 0 else "fell" if drivers.change < 0 else "did not change"
        amount = f" by {size}" if drivers.change else ""
        story.say(f"{metric.label} {moved}{amount} to {now} ({dates}), from {before} ({past}).")
        cut = drivers.cuts[0]
        named_parts = [p for p in cut.parts if p.value != REST]
        leading = [p for p in named_parts if p.contribution * drivers.change > 0][:2]
        named = []
        for part in leading:
            name = story.fact(part.label, part.label, f"{cut.dimension} · {part.label}")
            share = story.fact(
                part.contribution,
                show(part.contribution, unit, currency),
                f"derived · contribution of {part.label}",
            )
            named.append(f"{name} ({share})")
        if named:
            story.say(f"By {cut.label.lower()}, the largest contribution came from {' and '.join(named)}.")
        story.say("Contributions add up to the change; they do not say what brought it about.")

    def _anomalies(self, parsed: Parsed, spec: QuerySpec) -> Answer:
        metric = self.model.metric(spec.metrics[0])
        found = self.anomalies(metric.id, 90, spec)
        story = Story()
        if not found:
            story.say(f"No day of {metric.label.lower()} stands out from its level and weekday.")
        for item in found[:3]:
            day = story.fact(item.at, day_text(item.at), f"day {item.at}")
            value = story.fact(
                item.value, show(item.value, metric.unit, self.model.currency), f"day {item.at} · {metric.id}"
            )
            usual = story.fact(
                item.expected,
                show(item.expected, metric.unit, self.model.currency),
                f"day {item.at} · expected",
            )
            side = "above" if item.value > item.expected else "below"
            story.say(
                f"On {day}, {metric.label.lower()} was {value}, {side} the {usual} that level and weekday"
                " lead to expect."
            )
        self._anchored(story, spec)
        columns = [
            ("day", "Day", ""),
            (metric.id, metric.label, metric.unit),
            ("expected", "Expected", metric.unit),
        ]
        table = {
            "columns": [{"id": id, "label": label, "unit": unit} for id, label, unit in columns],
            "rows": [[day_text(a.at), a.value, a.expected] for a in found],
        }
        return self._finish(
            parsed,
            spec,
            story,
            fallback="The table holds the days.",
            table=table if found else None,
            row_count=len(found),
        )

    def anomalies(self, metric_id: str, days: int, spec: QuerySpec | None = None) -> list[Anomaly]:
        """Anomalous days of a metric in the last `days` days; none for metrics without days."""
        metric = self.model.metric(metric_id)
        if self.model.sources[metric.source].time is None or not (metric.is_ratio or metric.additive):
            return []
        end = self.anchor.day - timedelta(days=0 if self.moved else 1)  # today is not over yet
        period = Period(end - timedelta(days=days - 1), end)
        query = QuerySpec((metric_id,), filters=spec.filters if spec else (), period=period, grain="day")
        rows: list[tuple[date, Any, Any]] = [
            (r[PERIOD], r.get(f"{metric_id}__num", r[metric_id]), r.get(f"{metric_id}__den", 0))
            for r in self.run(query).rows
        ]
        if not rows:
            return []
        start = max(period.start, min(row[0] for row in rows))
        dates, num, den = daily_arrays(rows, start, end)
        out = []
        for index, value, expected, z in detect(num, den if metric.is_ratio else None):
            shown, usual = (show(x, metric.unit, self.model.currency) for x in (value, expected))
            text = f"{metric.label} {shown}, expected {usual}"
            out.append(
                Anomaly(dates[index], metric.id, metric.label, value, expected, z, text, severity_of(z))
            )
        if spec is not None and spec.period is not None:
            out = [a for a in out if spec.period.start <= a.at <= spec.period.end]
        return sorted(out, key=lambda a: a.at, reverse=True)


def _refusal_text(refusal: Refusal) -> str:
    if not refusal.choices:
        return refusal.text
    return f"{refusal.text} You can ask, for example: {refusal.choices[0]}"


def arrange(result: Result, spec: QuerySpec, model: SemanticModel) -> list[Row]:
    """Rows in the asked order (or the keys' natural order), cut to the limit after suppression."""
    rows = list(result.rows)
    keys = result.keys
    rows.sort(key=lambda row: [order_key(model, key, row[key]) for key in keys])
    if spec.order is not None:
        by = spec.order.by
        known = [row for row in rows if row[by] is not None]
        known.sort(key=lambda row: float(row[by]), reverse=spec.order.descending)
        rows = known + [row for row in rows if row[by] is None]
    elif keys and PERIOD not in keys and len(keys) == 1 and model.dimension(keys[0]).ordered is None:
        rows.sort(
            key=lambda row: -math.inf if row[spec.metrics[0]] is None else float(row[spec.metrics[0]]),
            reverse=True,
        )
    return rows[: spec.limit] if spec.limit else rows
