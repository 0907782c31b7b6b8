"""A validated QuerySpec becomes one sqlglot SELECT and its bound parameters; nobody writes SQL text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlglot import exp, parse_one

from smart_reach.engine.metrics.model import Metric, SemanticModel, Source
from smart_reach.engine.metrics.spec import Filter, Period, QuerySpec, validate

GROUP_SIZE = "group_size"
PERIOD = "period"
MAX_ROWS = 5000
_COMPARE: dict[str, type[exp.Expression]] = {"gt": exp.GT, "ge": exp.GTE, "lt": exp.LT, "le": exp.LTE}


@dataclass(frozen=True)
class Column:
    """One output column: what it holds and where it came from."""

    name: str
    role: str  # dimension | period | metric | num | den | group_size
    source_id: str


@dataclass(frozen=True)
class Compiled:
    """The tree, its parameters by name, and its output columns in order."""

    tree: exp.Select
    params: dict[str, Any]
    columns: tuple[Column, ...]
    model: SemanticModel = field(repr=False)

    @property
    def sql(self) -> str:
        """What is executed: parameters stay outside the text."""
        return self.tree.sql(dialect="duckdb")

    @property
    def display_sql(self) -> str:
        """The same query with its literals, for reading; safely quoted by the generator."""

        def inline(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.Placeholder):
                return _literal(self.params[node.name])
            return node

        return str(self.tree.copy().transform(inline).sql(dialect="duckdb", pretty=True))


def _literal(value: Any) -> exp.Expression:
    if isinstance(value, datetime):
        text = exp.Literal.string(value.isoformat(sep=" "))
        return exp.cast(text, "TIMESTAMPTZ", dialect="duckdb")
    converted = exp.convert(value)
    assert isinstance(converted, exp.Expression)
    return converted


@lru_cache(maxsize=512)
def _parsed(sql: str) -> exp.Expression:
    parsed = parse_one(sql, dialect="duckdb")
    assert isinstance(parsed, exp.Expression)
    return parsed


def fragment(sql: str) -> exp.Expression:
    """A fresh tree of an expression written in the model."""
    return _parsed(sql).copy()


def compile_spec(spec: QuerySpec, model: SemanticModel, *, max_rows: int = MAX_ROWS) -> Compiled:
    """Validate, then build the SELECT. Raises InvalidInput for a spec outside the model."""
    spec = validate(spec, model)
    source = model.sources[model.metric(spec.metrics[0]).source]
    params: dict[str, Any] = {}
    keys = _keys(spec, model, source)
    measures = _measures(spec, model, source)
    conditions = _conditions(spec, model, source, params)
    query = exp.select(*(exp.alias_(node, column.name, quoted=True) for column, node in [*keys, *measures]))
    query = query.from_(exp.alias_(exp.to_table(source.relation), source.alias, table=True))
    for alias in _needed([node for _, node in keys + measures] + conditions, spec, model, source):
        join = source.joins[alias]
        table = exp.alias_(exp.to_table(join.relation), alias, table=True)
        query = query.join(table, on=fragment(join.on), join_type="left")
    if conditions:
        query = query.where(exp.and_(*conditions))
    if keys:
        positions = [exp.Literal.number(i + 1) for i in range(len(keys))]
        query = query.group_by(*positions).order_by(*[exp.Ordered(this=p.copy()) for p in positions])
    query = _with_ctes(query.limit(max_rows + 1), model)
    return Compiled(query, params, tuple(column for column, _ in [*keys, *measures]), model)


def _keys(spec: QuerySpec, model: SemanticModel, source: Source) -> list[tuple[Column, exp.Expression]]:
    keys: list[tuple[Column, exp.Expression]] = []
    if spec.grain:
        keys.append((Column(PERIOD, "period", spec.grain), fragment(period_sql(spec.grain, source, model))))
    for id in spec.dimensions:
        keys.append((Column(id, "dimension", id), fragment(model.dimension(id).columns[source.id])))
    return keys


def period_sql(grain: str, source: Source, model: SemanticModel) -> str:
    """The first day of the grain's period in the bank's zone."""
    return f"CAST(DATE_TRUNC('{grain}', TIMEZONE('{model.zone}', {source.time})) AS DATE)"


def _measures(spec: QuerySpec, model: SemanticModel, source: Source) -> list[tuple[Column, exp.Expression]]:
    out: list[tuple[Column, exp.Expression]] = []
    for id in spec.metrics:
        metric = model.metric(id)
        out.append((Column(id, "metric", id), fragment(metric.sql)))
        if metric.num is not None and metric.den is not None:
            out.append((Column(f"{id}__num", "num", id), fragment(metric.num)))
            out.append((Column(f"{id}__den", "den", id), fragment(metric.den)))
        out += [
            (Column(f"{id}__{name}", "num", id), fragment(sql))
            for name, sql in metric.arms.items()
            if name != "level"
        ]
    size = fragment(f"COUNT(DISTINCT {source.customer})")
    out.append((Column(GROUP_SIZE, "group_size", GROUP_SIZE), size))
    return out


def _conditions(
    spec: QuerySpec, model: SemanticModel, source: Source, params: dict[str, Any]
) -> list[exp.Expression]:
    conditions: list[exp.Expression] = []
    if source.where:
        conditions.append(exp.paren(fragment(source.where)))
    if spec.period and source.time:
        start, end = bounds(spec.period, model.zone)
        conditions.append(exp.GTE(this=fragment(source.time), expression=_bind(params, start)))
        conditions.append(exp.LT(this=fragment(source.time), expression=_bind(params, end)))
    for item in spec.filters:
        conditions.append(_condition(item, model.dimension(item.dimension).columns[source.id], params))
    return conditions


def _condition(item: Filter, column: str, params: dict[str, Any]) -> exp.Expression:
    if item.op in _COMPARE:
        return _COMPARE[item.op](this=fragment(column), expression=_bind(params, item.values[0]))
    inside = exp.In(this=fragment(column), expressions=[_bind(params, value) for value in item.values])
    if item.op == "in":
        return inside
    missing = exp.Is(this=fragment(column), expression=exp.null())
    return exp.paren(exp.or_(exp.not_(inside), missing))


def _bind(params: dict[str, Any], value: Any) -> exp.Placeholder:
    name = f"p{len(params)}"
    params[name] = value
    return exp.Placeholder(this=name)


def _needed(nodes: list[exp.Expression], spec: QuerySpec, model: SemanticModel, source: Source) -> list[str]:
    used = {column.table for node in nodes for column in node.find_all(exp.Column)}
    metrics: list[Metric] = [model.metric(id) for id in spec.metrics]
    used |= {alias for metric in metrics for alias in metric.requires}
    return [alias for alias in source.joins if alias in used]


def _with_ctes(query: exp.Select, model: SemanticModel) -> exp.Select:
    tables = {table.name for table in query.find_all(exp.Table)}
    for name, body in model.ctes.items():
        if name in tables:
            query = query.with_(name, as_=fragment(body))
    return query


def bounds(period: Period, zone: str) -> tuple[datetime, datetime]:
    """UTC instants [start, end) of whole local days, right across daylight-saving changes."""
    return _midnight(period.start, zone), _midnight(period.end + timedelta(days=1), zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
