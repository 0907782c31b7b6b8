"""The analyst: questions and specs in, grounded answers out. The one public door of the room."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from smart_reach.engine.clock import Clock, FixedClock, SystemClock
from smart_reach.engine.errors import InvalidInput, Retryable, Unanswerable
from smart_reach.engine.metrics import overview as overviews
from smart_reach.engine.metrics.anomalies import Anomaly
from smart_reach.engine.metrics.answer import Answer
from smart_reach.engine.metrics.answering.analyst import Analyst, declined
from smart_reach.engine.metrics.compile import MAX_ROWS, compile_spec
from smart_reach.engine.metrics.drivers import Drivers, analyse
from smart_reach.engine.metrics.execute import (
    Connect,
    Connection,
    EventSpan,
    Result,
    fetch,
    held,
    run,
    span_of_events,
)
from smart_reach.engine.metrics.model import SemanticModel, in_currency, load_model
from smart_reach.engine.metrics.overview import OverviewFilters
from smart_reach.engine.metrics.questions.lexicon import Lexicon
from smart_reach.engine.metrics.questions.parser import Parsed, Parser, anchor_for
from smart_reach.engine.metrics.questions.periods import Anchor
from smart_reach.engine.metrics.spec import Period, QuerySpec, validate

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

MAX_VALUES = 300


class MetricsService:
    """Answers for one workspace. `connect` gives a fresh locked connection with the lake's views."""

    def __init__(
        self,
        connect: Connect,
        kind: str,
        clock: Clock | None = None,
        *,
        at: Callable[[int], Connection] | None = None,
        zone: str | None = None,
        currency: str | None = None,
    ) -> None:
        """`at` connects to the lake as it was in a snapshot of the events; zone and currency are the
        workspace's own where the kind of workspace does not fix them."""
        self._connect, self._at = connect, at
        model = load_model(kind)
        if currency:
            model = in_currency(model, currency)
        self.model: SemanticModel = replace(model, zone=zone or model.zone)
        self.clock = clock or SystemClock()

    @classmethod
    def of(cls, ws: Workspace, snapshot: int | None = None) -> MetricsService:
        """The service of an open workspace; with `snapshot`, of the lake as it was, at its newest event."""
        kind = ws.info("kind") or "demo-bank"
        zone, currency = (ws.info("zone"), ws.info("currency")) if kind == "own-data" else (None, None)
        service = cls(
            lambda: ws.lake.connect(at=snapshot),
            kind,
            ws.clock,
            at=lambda snapshot: ws.lake.connect(at=snapshot),
            zone=zone,
            currency=currency,
        )
        if snapshot is not None:
            service.clock = FixedClock(service.newest() or ws.clock.now())
        return service

    @cached_property
    def _parser(self) -> Parser:
        lexicon = Lexicon(self.model, self._values())
        lexicon.newest_campaign = self._newest_campaign()
        return Parser(self.model, lexicon)

    def _newest_campaign(self) -> str | None:
        """The campaign that started last, among those that may be filtered by."""
        if "campaign" not in self.model.dimensions:
            return None
        rows = self._query(
            "SELECT campaign_id FROM messages WHERE campaign_id IS NOT NULL AND sent AND NOT held_out"
            " GROUP BY campaign_id"
            f" HAVING COUNT(DISTINCT customer_id) >= {self.model.minimum_group:d}"
            " ORDER BY MIN(sent_at) DESC, campaign_id LIMIT 1"
        )
        return str(rows[0][0]) if rows else None

    def refresh(self) -> None:
        """Forget the index of values: after an ingest, when new campaigns or segments exist."""
        self.__dict__.pop("_parser", None)

    def starters(self) -> list[dict[str, str]]:
        """Questions that work, for an empty page."""
        return [dict(row) for row in self.model.starters]

    def parse(self, text: str, today: date | None = None) -> Parsed:
        """The meaning of a question, without running it."""
        return self._parser.parse(text, self.anchor(today)[0])

    def anchor(self, today: date | None = None) -> tuple[Anchor, bool]:
        """The day that relative dates count from, and whether it is the newest event instead of today."""
        return self._anchor(self.newest(), today)

    def _anchor(self, newest: datetime | None, today: date | None) -> tuple[Anchor, bool]:
        now = today or self.clock.now().astimezone(ZoneInfo(self.model.zone)).date()
        day = newest.astimezone(ZoneInfo(self.model.zone)).date() if newest else None
        return anchor_for(day, now, self.model.monthly)

    def newest(self) -> datetime | None:
        """When the newest event happened, UTC; None for an empty workspace."""
        return self._span().newest

    def _span(self) -> EventSpan:
        connection = self._connect()
        try:
            return span_of_events(connection)
        finally:
            connection.close()

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        connection = self._connect()
        try:
            return fetch(connection, sql)
        except Unanswerable:
            return []
        finally:
            connection.close()

    def _values(self) -> dict[str, list[str | int]]:
        """Values of every indexed dimension: what people may filter by. Small groups are not among them."""
        found: dict[str, list[str | int]] = {}
        with held(self._connect) as connect:
            for dimension in self.model.dimensions.values():
                if dimension.filter_only or not dimension.index or dimension.type == "int":
                    continue
                source = next(iter(dimension.columns))
                metric = next(m for m in self.model.metrics.values() if m.source == source)
                try:
                    result = self._run_on(connect, QuerySpec((metric.id,), (dimension.id,)))
                except Unanswerable:
                    continue  # an empty workspace has no values yet
                values = [row[dimension.id] for row in result.rows if row[dimension.id] is not None]
                found[dimension.id] = values[:MAX_VALUES]
        return found

    def _run_on(self, connect: Connect, spec: QuerySpec) -> Result:
        return run(compile_spec(spec, self.model), connect)

    def run(self, spec: QuerySpec, *, max_rows: int = MAX_ROWS) -> Result:
        """Validate, compile, guard, execute, suppress. Raises InvalidInput, Unavailable, Unanswerable."""
        return run(compile_spec(spec, self.model, max_rows=max_rows), self._connect, max_rows=max_rows)

    def ask(self, text: str, today: date | None = None) -> Answer:
        """Answer a question, ask back, or decline; no wording of a question makes it raise."""
        parser = self._parser
        try:
            with held(self._connect) as connect:
                span = span_of_events(connect())
                anchor = self._anchor(span.newest, today)
                return self._answer(parser.parse(text, anchor[0]), span, anchor, connect)
        except Retryable as error:
            return declined(error)

    def answer(self, spec: QuerySpec, *, trust: str = "parsed") -> Answer:
        """Answer a spec that somebody else filled in (a model, a saved question)."""
        parsed = Parsed("", trust, spec=validate(spec, self.model))
        with held(self._connect) as connect:
            span = span_of_events(connect())
            return self._answer(parsed, span, self._anchor(span.newest, None), connect)

    def _answer(
        self, parsed: Parsed, span: EventSpan, anchor: tuple[Anchor, bool], connect: Connect
    ) -> Answer:
        newest, now = span.newest, self.clock.now()
        if parsed.panel and parsed.spec is not None:
            filters = {f.dimension: f.values[0] for f in parsed.spec.filters}
            analyst = Analyst(self.model, self.run, newest, now, *anchor)
            return analyst.cohorts(parsed, self.overview(filters))
        shared = partial(self._run_on, connect)
        return Analyst(self.model, shared, newest, now, *anchor, span.oldest).answer(parsed)

    def drivers(self, metric: str, period: Period, comparison: Period, **changes: Any) -> Drivers:
        """What each group contributed to the change of a metric between two periods."""
        spec = replace(
            QuerySpec((metric,), period=period, comparison=comparison, intent="drivers"), **changes
        )
        with held(self._connect) as connect:
            return analyse(validate(spec, self.model), self.model, partial(self._run_on, connect))

    def anomalies(
        self, metric: str | None = None, days: int = 90, today: date | None = None
    ) -> list[Anomaly]:
        """Days whose figure does not fit level and weekday, newest first."""
        ids = [metric] if metric else list(self.model.watched)
        newest = self.newest()
        analyst = Analyst(self.model, self.run, newest, self.clock.now(), *self._anchor(newest, today))
        found = [a for id in ids for a in analyst.anomalies(id, days)]
        return sorted(found, key=lambda a: a.at, reverse=True)

    def overview(self, filters: OverviewFilters | Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON of GET /api/overview."""
        chosen = _filters(filters)
        return overviews.overview(self._connect_for(chosen), self.model, self.clock.now(), chosen)

    def _connect_for(self, filters: OverviewFilters) -> Connect:
        if filters.snapshot is None:
            return self._connect
        if self._at is None:
            raise InvalidInput("snapshot", filters.snapshot, "This service reads the newest snapshot only.")
        return partial(self._at, filters.snapshot)

    def overview_csv(self, filters: OverviewFilters | Mapping[str, Any] | None = None) -> str:
        """The same figures as CSV."""
        return rows_csv(overviews.csv_rows(self.overview(filters), self.model.currency))

    def people(
        self, tile: str, filters: OverviewFilters | Mapping[str, Any] | None = None, limit: int = 100
    ) -> dict[str, Any]:
        """The customers behind a tile, under pseudonyms."""
        chosen = _filters(filters)
        connect = self._connect_for(chosen)
        return overviews.people(connect, self.model, self.clock.now(), tile, chosen, limit)


def _filters(given: OverviewFilters | Mapping[str, Any] | None) -> OverviewFilters:
    if given is None:
        return OverviewFilters()
    return given if isinstance(given, OverviewFilters) else OverviewFilters.of(given)


def rows_csv(rows: list[list[Any]]) -> str:
    """CSV text; cells that a spreadsheet would run as a formula are defused."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        writer.writerow(
            [f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t" else cell for cell in row]
        )
    return out.getvalue()


def table_csv(answer: Answer) -> str:
    """An answer's table as CSV. Raises InvalidInput when there is none."""
    if answer.table is None:
        raise InvalidInput("answer", None, "Only answers with a table can be exported.")
    return rows_csv([[c["label"] for c in answer.table["columns"]], *answer.table["rows"]])
