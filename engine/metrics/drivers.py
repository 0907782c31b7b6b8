"""What each group contributed to a change: a midpoint mix/rate decomposition that sums exactly."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.execute import Result
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.spec import QuerySpec

REST = "__rest__"
MAX_CUTS = 7


@dataclass(frozen=True)
class Part:
    """One group's contribution to the change; `mix` and `rate` add up to it."""

    value: Any
    label: str
    mix: float
    rate: float

    @property
    def contribution(self) -> float:
        return self.mix + self.rate


@dataclass(frozen=True)
class Cut:
    """A dimension whose parts sum to the whole change; `score` ranks how much it tells."""

    dimension: str
    label: str
    parts: tuple[Part, ...]
    score: float


@dataclass(frozen=True)
class Drivers:
    """A change taken apart, the most telling cut first."""

    metric: str
    now: float
    before: float
    cuts: tuple[Cut, ...]
    sql: str

    @property
    def change(self) -> float:
        return self.now - self.before


Cells = dict[
    Any, tuple[float, float]
]  # group → (numerator, denominator); additive metrics have denominator 1


def decompose(now: Cells, before: Cells, *, ratio: bool) -> dict[Any, tuple[float, float]]:
    """Group → (mix, rate). For ratio R = Σ wᵢrᵢ: mix = Δwᵢ(r̄ᵢ − R̄), rate = w̄ᵢΔrᵢ; Σ both = ΔR exactly.

    A group without cases in one period has the other period's rate there, so it is all mix.
    """
    groups = list(dict.fromkeys((*now, *before)))
    if not ratio:
        return {g: (0.0, now.get(g, (0.0, 1.0))[0] - before.get(g, (0.0, 1.0))[0]) for g in groups}
    total_now, total_before = _total(now), _total(before)
    if total_now[1] <= 0 or total_before[1] <= 0:
        return {}
    middle = (total_now[0] / total_now[1] + total_before[0] / total_before[1]) / 2
    out = {}
    for group in groups:
        a, b = now.get(group, (0.0, 0.0)), before.get(group, (0.0, 0.0))
        w1, w0 = a[1] / total_now[1], b[1] / total_before[1]
        r1 = a[0] / a[1] if a[1] else (b[0] / b[1] if b[1] else 0.0)
        r0 = b[0] / b[1] if b[1] else r1
        out[group] = ((w1 - w0) * ((r1 + r0) / 2 - middle), (w1 + w0) / 2 * (r1 - r0))
    return out


def _total(cells: Cells) -> tuple[float, float]:
    return sum(c[0] for c in cells.values()), sum(c[1] for c in cells.values())


def surprise(p: float, q: float) -> float:
    """A group's term of the Jensen–Shannon divergence of its shares before and now (Adtributor, 2014)."""
    middle = (p + q) / 2

    def term(x: float) -> float:
        return 0.0 if x <= 0 or middle <= 0 else x * math.log(x / middle)

    return (term(p) + term(q)) / 2


def analyse(spec: QuerySpec, model: SemanticModel, run: Callable[[QuerySpec], Result]) -> Drivers:
    """Cut a metric's change by every fitting dimension.

    Raises InvalidInput for metrics that do not add up.
    """
    metric = model.metric(spec.metrics[0])
    if not (metric.is_ratio or metric.additive):
        raise InvalidInput("metric", metric.id, "Only rates and sums can be split into contributions.")
    if spec.period is None or spec.comparison is None:
        raise InvalidInput("period", None, "A change needs a period and what it is compared with.")
    base = replace(spec, comparison=None, intent="value", dimensions=(), grain=None, order=None, limit=None)
    earlier = replace(base, period=spec.comparison)
    now = _cells(run(base), None, metric.id, metric.is_ratio).get(None)
    before = _cells(run(earlier), None, metric.id, metric.is_ratio).get(None)
    if now is None or before is None or not now[1] or not before[1]:
        return Drivers(metric.id, math.nan, math.nan, (), "")
    fixed = {f.dimension for f in spec.filters if f.op == "in" and len(f.values) == 1}
    wanted = spec.dimensions or tuple(
        d.id
        for d in model.dimensions.values()
        if metric.source in d.columns
        and not d.filter_only
        and d.index
        and d.id not in (*fixed, "hour", "campaign", "variant")
    )
    cuts, sql = [], ""
    for id in wanted[:MAX_CUTS]:
        result = run(replace(base, dimensions=(id,)))
        old = run(replace(earlier, dimensions=(id,)))
        sql = sql or result.sql
        cuts.append(
            _cut(
                id,
                model,
                (_cells(result, id, metric.id, metric.is_ratio), now),
                (_cells(old, id, metric.id, metric.is_ratio), before),
                metric.is_ratio,
                whole=not (result.hidden or old.hidden or result.truncated or old.truncated),
            )
        )
    ranked = sorted((c for c in cuts if c is not None), key=lambda c: (-c.score, c.dimension))
    return Drivers(metric.id, now[0] / now[1], before[0] / before[1], tuple(ranked), sql)


def _cells(result: Result, key: str | None, metric: str, ratio: bool) -> Cells:
    cells: Cells = {}
    for row in result.rows:
        group = row[key] if key else None
        if ratio:
            cells[group] = (float(row[f"{metric}__num"] or 0), float(row[f"{metric}__den"] or 0))
        else:
            cells[group] = (float(row[metric] or 0), 1.0)
    return cells


def _cut(
    id: str,
    model: SemanticModel,
    now: tuple[Cells, tuple[float, float]],
    before: tuple[Cells, tuple[float, float]],
    ratio: bool,
    *,
    whole: bool,
) -> Cut | None:
    # a group hidden in one period must stay hidden in both; where none is, a missing one had no cases
    common = set(now[0]) | set(before[0]) if whole else set(now[0]) & set(before[0])
    shown = [{g: c for g, c in side[0].items() if g in common} for side in (now, before)]
    for side, total in zip(shown, (now[1], before[1]), strict=True):
        rest = (
            total[0] - sum(c[0] for c in side.values()),
            total[1] - sum(c[1] for c in side.values()) if ratio else 1.0,
        )
        if abs(rest[0]) > 1e-9 or (ratio and rest[1] > 1e-9):
            side[REST] = rest
    pieces = decompose(shown[0], shown[1], ratio=ratio)
    if not pieces:
        return None
    dimension = model.dimension(id)
    parts = [
        Part(g, "all others" if g == REST else dimension.display(g), mix, rate)
        for g, (mix, rate) in pieces.items()
    ]
    parts.sort(key=lambda p: (-abs(p.contribution), p.label))
    change = sum(p.contribution for p in parts)
    score = 0.0
    for part in parts:
        p = _share(shown[1].get(part.value), before[1][0])
        q = _share(shown[0].get(part.value), now[1][0])
        score += max(part.contribution / change, 0.0) * surprise(p, q) if change else 0.0
    return Cut(id, dimension.label, tuple(parts), score)


def _share(cell: tuple[float, float] | None, total: float) -> float:
    return max(cell[0] / total, 0.0) if cell and total else 0.0
