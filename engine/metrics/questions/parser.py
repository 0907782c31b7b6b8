"""A question in words becomes a QuerySpec, a clarifying question or a refusal; never a guess."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.questions.clarify import Clarification, Clarifier
from smart_reach.engine.metrics.questions.dates import find_dates
from smart_reach.engine.metrics.questions.lexicon import Lexicon, tokens_of
from smart_reach.engine.metrics.questions.periods import Anchor, previous, rolling, unit_period
from smart_reach.engine.metrics.questions.phrases import vocabulary
from smart_reach.engine.metrics.questions.reading import Draft, Reader
from smart_reach.engine.metrics.questions.refusals import Refusal, refuse
from smart_reach.engine.metrics.spec import Grain, Order, Period, QuerySpec, validate

_COHORTS = re.compile(r"\b(?:cohorts?(?! groups?)|retention|retained|weekly cohorts?)\b")
PANEL_FILTERS = ("offer", "channel", "segment")


@dataclass(frozen=True)
class Parsed:
    """Exactly one of spec, clarification and refusal is set. `trust`: verified, parsed or none."""

    text: str
    trust: str
    spec: QuerySpec | None = None
    unexplained: tuple[str, ...] = ()
    clarification: Clarification | None = None
    refusal: Refusal | None = None
    notes: tuple[str, ...] = ()
    intro: str | None = None  # said before the figures: what a word means here
    panel: str | None = None  # "cohorts": told from the Overview's panel; `spec` holds its filters


class Parser:
    """Parses questions for one model and one index of values. Deterministic; about a millisecond."""

    def __init__(self, model: SemanticModel, lexicon: Lexicon) -> None:
        self.model = model
        self.lexicon = lexicon
        self._reader = Reader(model, lexicon)
        self._verified = {tuple(tokens_of(q)): same for q, same in model.verified.items()}

    def parse(self, text: str, anchor: Anchor) -> Parsed:
        """The meaning of a question, relative dates counted from `anchor`."""
        if len(text) > 600:
            return self._refused(
                text, Refusal("long", "That is longer than one question. Ask about one thing at a time.")
            )
        if refusal := refuse(text):
            return self._refused(text, refusal)
        tokens = tokens_of(text)
        if _COHORTS.search(" ".join(tokens)) and "churn_risk" in self.model.metrics:
            return self._cohorts(text, tokens, anchor)
        if not tokens:
            return self._refused(text, Refusal("empty", "There is no question in that."))
        if same := self._verified.get(tuple(tokens)):
            return replace(
                self._finish(text, self._reader.read(tokens_of(same), anchor), anchor), trust="verified"
            )
        return self._finish(text, self._reader.read(tokens, anchor), anchor)

    def _cohorts(self, text: str, tokens: list[str], anchor: Anchor) -> Parsed:
        """The Overview's weekly cohorts; they can be narrowed by one offer, channel and segment."""
        draft = self._reader.read([t for t in tokens if not _COHORTS.fullmatch(t)], anchor)
        spec = QuerySpec((), filters=tuple(draft.filters))
        clarifier = Clarifier(self.model, self.lexicon, anchor)
        if no_such := clarifier.unknown_value(draft, QuerySpec((), filters=spec.filters)):
            return Parsed(text, "none", clarification=no_such)
        odd = [
            f for f in spec.filters if f.dimension not in PANEL_FILTERS or f.op != "in" or len(f.values) > 1
        ]
        if odd or draft.unexplained:
            question = "Cohorts can be narrowed by one offer, channel or segment only."
            return Parsed(text, "none", clarification=Clarification(question, ("Cohort retention",)))
        return Parsed(text, "parsed", spec=spec, panel="cohorts", notes=tuple(draft.notes))

    def _refused(self, text: str, refusal: Refusal) -> Parsed:
        choices = tuple(row["text"] for row in self.model.starters)
        return Parsed(text, "none", refusal=replace(refusal, choices=choices))

    def _finish(self, text: str, draft: Draft, anchor: Anchor) -> Parsed:
        intro = self._complete(draft)
        spec = self._spec(draft, anchor)
        unexplained = tuple(dict.fromkeys(draft.unexplained))
        clarifier = Clarifier(self.model, self.lexicon, anchor)
        if no_such := clarifier.unknown_value(draft, spec):
            return Parsed(text, "none", unexplained=unexplained, clarification=no_such)
        nothing = not (draft.metrics or draft.ambiguous or draft.dimensions or draft.filters)
        if nothing and not (draft.cues.anomalies or draft.cues.drivers):
            return self._refused(
                text, Refusal("unknown", f"I do not know that. I can answer about {clarifier.topics()}.")
            )
        if not draft.metrics and unexplained and not draft.ambiguous and not draft.cues.anomalies:
            word = " ".join(unexplained)
            return self._refused(
                text,
                Refusal(
                    "unknown_metric",
                    f"There is no measure called “{word}” here. I know {clarifier.topics()}.",
                ),
            )
        if clarification := clarifier.ask(draft, spec, unexplained):
            return Parsed(text, "none", unexplained=unexplained, clarification=clarification)
        try:
            spec = validate(spec, self.model)
        except InvalidInput as error:
            return Parsed(text, "none", clarification=clarifier.repair(spec, error))
        return Parsed(text, "parsed", spec=spec, notes=tuple(draft.notes), intro=intro)

    def _complete(self, draft: Draft) -> str | None:
        """Figures that a word or a list asks for without naming one; returns what is said before them."""
        bare = not (draft.metrics or draft.ambiguous or draft.filters or draft.unexplained)
        if draft.defined:
            if bare and not draft.dimensions:
                entry = self.model.glossary[draft.defined]
                draft.metrics = list(entry["metrics"])
                return " ".join(str(entry["text"]).split())
            draft.unexplained.append(draft.defined)
        elif bare and draft.cues.listing and len(draft.dimensions) == 1:
            columns = self.model.dimension(draft.dimensions[0]).columns
            counts = [m for m in self.model.metrics.values() if m.additive and m.source in columns]
            whole = [m for m in counts if self.model.sources[m.source].time is None]
            draft.metrics = [m.id for m in (whole or counts)[:1]]
        return None

    def _spec(self, draft: Draft, anchor: Anchor) -> QuerySpec:
        cues = draft.cues
        period, comparison, grain = self._time(draft, anchor)
        dimensions = tuple(d for d in dict.fromkeys(draft.dimensions))
        metrics = tuple(draft.metrics[:4])
        if cues.when and not dimensions and not grain:
            dimensions = ("weekday", "hour") if "hour" in self.model.dimensions else ("weekday",)
        if cues.place and not dimensions and "region" in self.model.dimensions:
            dimensions = ("region",)
        if cues.anomalies:
            given = next((f.period for f in draft.dates if f.period), None)
            watched = tuple(dict.fromkeys(self.model.metric(id).watch or id for id in metrics))
            return QuerySpec(
                watched or self.model.watched,
                filters=tuple(draft.filters),
                period=given,
                intent="anomalies",
            )
        if cues.drivers and metrics:
            base = period or rolling(anchor, 7, "day")
            return QuerySpec(
                metrics[:1],
                dimensions,
                tuple(draft.filters),
                base,
                comparison or previous(base),
                intent="drivers",
            )
        order = None
        if metrics and cues.direction and (dimensions or grain):
            down = self.model.metric(metrics[0]).better == "down"
            order = Order(metrics[0], cues.direction == ("desc" if not (cues.judging and down) else "asc"))
        limit = cues.limit if (dimensions or grain) else None
        if limit and metrics and order is None:
            order = Order(metrics[0])
        return QuerySpec(metrics, dimensions, tuple(draft.filters), period, comparison, grain, order, limit)

    def _time(self, draft: Draft, anchor: Anchor) -> tuple[Period | None, Period | None, Grain | None]:
        periods = [f.period for f in draft.dates if f.period]
        grain = next((f.grain for f in draft.dates if f.grain), None)
        given = next((f.comparison for f in draft.dates if f.comparison), None)
        period = periods[0] if periods else None
        if (
            len(periods) > 1
            and given is None
            and (vocabulary().versus | {"and", "from", "than"}).intersection(draft.tokens)
        ):
            given = periods[1]
        if period is not None and period.label == "all":
            period = None
        elif period is None and self.model.default_period:
            found = find_dates(self.model.default_period, anchor)
            period = _twelve_months(anchor.day) if grain == "month" else found[0].period if found else None
        wanted = draft.cues.change and not draft.cues.trend and grain is None
        if given is None and (any(f.compare_previous for f in draft.dates) or wanted):
            period = period or self._whole_month(anchor)
            given = previous(period)
        if draft.cues.trend and grain is None:
            grain = auto_grain(period, self.model.monthly)
        return period, given, grain

    def _whole_month(self, anchor: Anchor) -> Period:
        return unit_period(anchor.day, "month", 0 if anchor.monthly else -1)


def _twelve_months(day: date) -> Period:
    """For a question by month that names no period: thirty days would be two months, both of them cut."""
    return Period(unit_period(day, "month", -11).start, day)


def auto_grain(period: Period | None, monthly: bool) -> Grain:
    """A grain that gives a readable line: days up to 45 days, weeks up to 27 weeks, else months."""
    if monthly or period is None:
        return "month"
    return "day" if period.days <= 45 else "week" if period.days <= 190 else "month"


def anchor_for(newest: date | None, today: date, monthly: bool) -> tuple[Anchor, bool]:
    """Relative periods count from the newest event when the data ended long before today."""
    if newest is not None and (today - newest).days > 2:
        return Anchor(newest, monthly), True
    return Anchor(today, monthly), False
