"""Tables and charts of a result: names and natural order of keys, a form that fits the shape."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from smart_reach.engine.metrics.answering.intervals import against_holdout
from smart_reach.engine.metrics.compile import PERIOD
from smart_reach.engine.metrics.execute import Result, Row
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.spec import QuerySpec, day_text


def plain(value: Any) -> Any:
    """A number that JSON knows: DuckDB's Decimal and huge integers become float or int."""
    if value is None or isinstance(value, (int, float, str)):
        return value
    return float(value) if hasattr(value, "as_tuple") else value


def period_text(value: date | None, grain: str) -> str:
    """How a grain's period is named: 3 May 2010, May 2010, 2010."""
    if value is None:
        return "(no date)"
    if grain == "month":
        return f"{value:%b %Y}"
    if grain == "quarter":
        return f"Q{(value.month - 1) // 3 + 1} {value.year}"
    return str(value.year) if grain == "year" else day_text(value)


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


def table_of(
    spec: QuerySpec, model: SemanticModel, keys: list[str], rows: list[Row], before: list[Row] | None
) -> dict[str, Any]:
    """Columns and rows as shown and exported; the comparison stands beside each metric."""
    columns = [
        {
            "id": k,
            "label": (spec.grain or "").capitalize() if k == PERIOD else model.dimension(k).label,
            "unit": "",
        }
        for k in keys
    ]
    for id in spec.metrics:
        columns.append({"id": id, "label": model.metric(id).label, "unit": model.metric(id).unit})
        if model.metric(id).arms:
            columns += [
                {"id": f"{id}_{side}", "label": f"{side.capitalize()} bound", "unit": model.metric(id).unit}
                for side in ("lower", "upper")
            ]
        if before is not None:
            columns.append(
                {
                    "id": f"{id}_before",
                    "label": f"{model.metric(id).label} before",
                    "unit": model.metric(id).unit,
                }
            )
    old = {tuple(row[k] for k in keys): row for row in before or []}
    out = []
    for row in rows:
        line: list[Any] = [
            period_text(row[k], spec.grain or "day") if k == PERIOD else model.dimension(k).display(row[k])
            for k in keys
        ]
        for id in spec.metrics:
            line.append(plain(row[id]))
            if model.metric(id).arms:
                line += against_holdout(model.metric(id), row) or (None, None)
            if before is not None:
                line.append(plain(old.get(tuple(row[k] for k in keys), {}).get(id)))
        out.append(line)
    return {"columns": columns, "rows": out}


def chart_of(
    spec: QuerySpec, model: SemanticModel, keys: list[str], rows: list[Row], before: list[Row] | None
) -> dict[str, Any] | None:
    """Time → line, categories → bar, two categories → heatmap (grouped bar for few); one value → none."""
    if not keys or len(rows) < 2:
        return None
    labels = {
        k: (
            lambda v, k=k: (
                period_text(v, spec.grain or "day") if k == PERIOD else model.dimension(k).display(v)
            )
        )
        for k in keys
    }
    title = " and ".join(model.metric(id).label for id in spec.metrics)
    x_label = (spec.grain or "").capitalize() if keys[0] == PERIOD else model.dimension(keys[0]).label
    if len(keys) == 1:
        key = keys[0]
        series = [_series(model, id, [row[id] for row in rows]) for id in spec.metrics]
        if before is not None and key != PERIOD:
            old = {row[key]: row for row in before}
            series += [
                {
                    **_series(model, id, [old.get(row[key], {}).get(id) for row in rows]),
                    "name": f"{model.metric(id).label} before",
                }
                for id in spec.metrics
            ]
        values = [labels[key](row[key]) for row in rows]
        return {
            "type": "line" if key == PERIOD else "bar",
            "title": title,
            "x": {"label": x_label, "values": values},
            "series": series,
        }
    if len(keys) > 2:
        return None
    return _crossed(spec, model, keys, rows, labels, title)


def _crossed(
    spec: QuerySpec,
    model: SemanticModel,
    keys: list[str],
    rows: list[Row],
    labels: dict[str, Any],
    title: str,
) -> dict[str, Any]:
    first, second = keys
    across, down = (first, second) if first == PERIOD or second != "hour" else (second, first)
    xs = sorted({row[across] for row in rows}, key=lambda v: order_key(model, across, v))
    ys = sorted({row[down] for row in rows}, key=lambda v: order_key(model, down, v))
    cells = {(row[across], row[down]): row[spec.metrics[0]] for row in rows}
    series = [
        {**_series(model, spec.metrics[0], [cells.get((x, y)) for x in xs]), "name": labels[down](y)}
        for y in ys
    ]
    few = len(ys) <= 4 and len(xs) <= 8
    kind = "line" if PERIOD in keys and len(ys) <= 6 else "bar" if few and PERIOD not in keys else "heatmap"
    label = (spec.grain or "").capitalize() if across == PERIOD else model.dimension(across).label
    return {
        "type": kind,
        "title": title,
        "x": {"label": label, "values": [labels[across](x) for x in xs]},
        "series": series,
    }


def _series(model: SemanticModel, id: str, values: list[Any]) -> dict[str, Any]:
    metric = model.metric(id)
    return {"name": metric.label, "values": [plain(v) for v in values], "unit": metric.unit}


def order_key(model: SemanticModel, key: str, value: Any) -> tuple[int, Any]:
    """Natural order of a key's values: dates, numbers, declared order, else the alphabet; none comes last."""
    if value is None:
        return (2, "")
    if key != PERIOD and (ordered := model.dimension(key).ordered) and value in ordered:
        return (0, ordered.index(value))
    return (1, value)
