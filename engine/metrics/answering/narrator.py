"""Tells a result: text with grounded figures, fit for the result's shape."""

from __future__ import annotations

from typing import Any

from smart_reach.engine.metrics.answering.charts import period_text, plain
from smart_reach.engine.metrics.answering.intervals import against_holdout
from smart_reach.engine.metrics.answering.story import Story, show, show_change, wilson
from smart_reach.engine.metrics.compile import PERIOD
from smart_reach.engine.metrics.execute import Result, Row
from smart_reach.engine.metrics.model import Metric, SemanticModel
from smart_reach.engine.metrics.spec import Period, QuerySpec


class Narrator:
    """Tells one result. `rows` are already ordered, cut and free of small groups."""

    def __init__(
        self, spec: QuerySpec, model: SemanticModel, result: Result, rows: list[Row], before: list[Row] | None
    ) -> None:
        self.spec, self.model, self.result, self.rows, self.before = spec, model, result, rows, before
        self.metrics = [model.metric(id) for id in spec.metrics]
        self.story = Story()

    def tell(self, intro: str | None = None) -> Story:
        """The story of the result, figure by figure bound to its cell; `intro` is said before it."""
        keys = self.result.keys
        if intro:
            self.story.say(intro)
        if not any(row[m.id] is not None for row in self.rows for m in self.metrics) or self._no_cases():
            small = " The groups there are too small to show." if self.result.hidden else ""
            self.story.say(f"There is nothing to report: no data for {self._where()}.{small}")
            return self.story
        if not keys:
            for metric in self.metrics:
                self._single(metric)
        elif keys == [PERIOD]:
            for metric in self.metrics:
                self._course(metric)
        else:
            self._ranking(self.metrics[0])
        self._caveats()
        return self.story

    def _no_cases(self) -> bool:
        return not self.result.keys and all(row["group_size"] == 0 for row in self.rows)

    def _where(self) -> str:
        return self._dates(self.spec.period, "period") if self.spec.period else "these conditions"

    def _when(self) -> str:
        timeless = self.model.sources[self.metrics[0].source].time is None
        if timeless:
            return "in the newest snapshot"
        if self.spec.period is None:
            return "over all dates"
        return (
            "from " + self._dates(self.spec.period, "period")
            if self.spec.period.days > 1
            else "on " + self._dates(self.spec.period, "period")
        )

    def _dates(self, period: Period, source: str) -> str:
        return self.story.fact(period.dates, period.dates, source)

    def _value(self, metric: Metric, row: Row, source: str) -> str:
        return self.story.fact(
            plain(row[metric.id]), show(plain(row[metric.id]), metric.unit, self.model.currency), source
        )

    def _bounds(self, metric: Metric, row: Row, index: int) -> str:
        """; 95% interval a to b — for figures against the holdout, which are never told without it."""
        if not metric.arms:
            return ""
        bounds = against_holdout(metric, row)
        if bounds is None:
            return "; too few held-out customers for an interval"
        share = float(metric.arms["level"])
        level = self.story.fact(share, f"{share:.0%}", "constant · interval level")
        low, high = (
            self.story.fact(
                bound,
                show(bound, metric.unit, self.model.currency),
                f"derived · row {index} · {metric.id} {side} bound",
            )
            for bound, side in zip(bounds, ("lower", "upper"), strict=True)
        )
        return f"; {level} interval {low} to {high}"

    def _key(self, row: Row, index: int) -> str:
        names = []
        for key in self.result.keys:
            text = self._display(key, row[key])
            names.append(self.story.fact(text, text, f"row {index} · {key}"))
        return ", ".join(names)

    def _display(self, key: str, value: Any) -> str:
        if key == PERIOD:
            return period_text(value, self.spec.grain or "day")
        return self.model.dimension(key).display(value)

    def _single(self, metric: Metric) -> None:
        row = self.rows[0]
        if row[metric.id] is None:
            verb = "have" if metric.plural else "has"
            self.story.say(f"{metric.label} {verb} no value {self._when()}: there are no cases to divide by.")
            return
        verb = ":" if metric.unit == "count" else f" {metric.verb}"
        text = f"{metric.label}{verb} {self._value(metric, row, f'row 0 · {metric.id}')} {self._when()}"
        if metric.is_ratio and metric.unit == "percent":
            num, den = plain(row[f"{metric.id}__num"]) or 0, plain(row[f"{metric.id}__den"]) or 0
            a = self.story.fact(num, f"{num:,.0f}", f"row 0 · {metric.id} numerator")
            b = self.story.fact(den, f"{den:,.0f}", f"row 0 · {metric.id} denominator")
            text += f" ({a} of {b}{self._interval(metric, num, den)})"
        if metric.arms:
            text += f" ({self._bounds(metric, row, 0).removeprefix('; ')})"
        if self.before and self.before[0].get(metric.id) is not None and self.spec.comparison:
            text += self._against(metric, row, self.before[0])
        self.story.say(text + ".")

    def _interval(self, metric: Metric, num: float, den: float) -> str:
        low, high = wilson(num, den)
        level = self.story.fact(0.95, "95%", "constant · interval level")
        a = self.story.fact(low, f"{low * 100:.2f}%", f"derived · Wilson lower bound of {metric.id}")
        b = self.story.fact(high, f"{high * 100:.2f}%", f"derived · Wilson upper bound of {metric.id}")
        return f"; {level} interval {a} to {b}"

    def _against(self, metric: Metric, row: Row, before: Row) -> str:
        assert self.spec.comparison is not None
        now, then = float(row[metric.id]), float(before[metric.id])
        old = self._value(metric, before, f"comparison row 0 · {metric.id}")
        dates = self._dates(self.spec.comparison, "comparison period")
        if now == then:
            return f", the same as {old} ({dates})"
        size = show_change(now, then, metric.unit, self.model.currency)
        slot = self.story.fact(now - then, size, f"derived · change of {metric.id}")
        return f", {'up' if now > then else 'down'} {slot} from {old} ({dates})"

    def _course(self, metric: Metric) -> None:
        known = [(i, row) for i, row in enumerate(self.rows) if row[metric.id] is not None]
        if not known:
            return
        (i, first), (j, last) = known[0], known[-1]
        high, top = max(known, key=lambda pair: (pair[1][metric.id], -pair[0]))
        low, bottom = min(known, key=lambda pair: (pair[1][metric.id], pair[0]))

        def at(index: int, row: Row) -> str:
            value = self._value(metric, row, f"row {index} · {metric.id}")
            return f"{value} ({self._key(row, index)}{self._bounds(metric, row, index)})"

        if i == j:
            self.story.say(f"{metric.label} {metric.verb} {at(i, first)}.")
            return
        self.story.say(
            f"{metric.label} went from {at(i, first)} to {at(j, last)};"
            f" highest {at(high, top)}, lowest {at(low, bottom)}."
        )

    def _ranking(self, metric: Metric) -> None:
        known = [(i, row) for i, row in enumerate(self.rows) if row[metric.id] is not None]
        best = max(known, key=lambda pair: (pair[1][metric.id], -pair[0]))
        worst = min(known, key=lambda pair: (pair[1][metric.id], pair[0]))

        def at(pair: tuple[int, Row]) -> str:
            value = self._value(metric, pair[1], f"row {pair[0]} · {metric.id}")
            return f"{self._key(pair[1], pair[0])} ({value}{self._bounds(metric, pair[1], pair[0])})"

        if len(known) == 1:
            self.story.say(f"{metric.label} {self._when()}: {at(known[0])} is the only group.")
            return
        first, second = (best, worst) if not self.spec.order or self.spec.order.descending else (worst, best)
        words = ("highest", "lowest") if first is best else ("lowest", "highest")
        cut = " shown" if self.spec.limit else ""
        self.story.say(
            f"{metric.label} {self._when()} {metric.verb} {words[0]} for {at(first)}"
            f" and {words[1]}{cut} for {at(second)}."
        )
        if len(known) == 2:
            gap = float(best[1][metric.id]) - float(worst[1][metric.id])
            size = show(
                gap, "points" if metric.unit == "percent" else metric.unit, self.model.currency
            ).lstrip("+")
            self.story.say(
                f"The difference is {self.story.fact(gap, size, f'derived · difference of {metric.id}')}."
            )

    def _caveats(self) -> None:
        if self.result.hidden:
            count = self.story.fact(self.result.hidden, str(self.result.hidden), "derived · hidden groups")
            size = self.story.fact(
                self.model.minimum_group, str(self.model.minimum_group), "rule · minimum group"
            )
            self.story.say(
                f"Not shown: {count} groups, so that no group under {size} customers can be worked out."
            )
        if self.result.truncated:
            self.story.say("There are more rows than are shown.")
