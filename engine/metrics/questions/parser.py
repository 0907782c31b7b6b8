"""A question in words becomes a QuerySpec, a clarifying question or a refusal; never a guess."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.questions.dates import find_dates
from smart_reach.engine.metrics.questions.lexicon import Lexicon, Target, tokens_of
from smart_reach.engine.metrics.questions.periods import Anchor, previous, rolling, unit_period
from smart_reach.engine.metrics.questions.phrases import vocabulary
from smart_reach.engine.metrics.questions.reading import Draft, Reader
from smart_reach.engine.metrics.questions.refusals import Refusal, refuse
from smart_reach.engine.metrics.spec import Filter, Grain, Order, Period, QuerySpec, question_of, validate


@dataclass(frozen=True)
class Clarification:
    """A question back, with choices that can be asked as they stand."""

    question: str
    choices: tuple[str, ...]


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
        if not tokens:
            return self._refused(text, Refusal("empty", "There is no question in that."))
        if same := self._verified.get(tuple(tokens)):
            return replace(
                self._finish(text, self._reader.read(tokens_of(same), anchor), anchor), trust="verified"
            )
        return self._finish(text, self._reader.read(tokens, anchor), anchor)

    def _refused(self, text: str, refusal: Refusal) -> Parsed:
        choices = tuple(row["text"] for row in self.model.starters)
        return Parsed(text, "none", refusal=replace(refusal, choices=choices))

    def _finish(self, text: str, draft: Draft, anchor: Anchor) -> Parsed:
        spec = self._spec(draft, anchor)
        unexplained = tuple(dict.fromkeys(draft.unexplained))
        nothing = not (draft.metrics or draft.ambiguous or draft.dimensions or draft.filters)
        if nothing and not (draft.cues.anomalies or draft.cues.drivers):
            return self._refused(
                text, Refusal("unknown", f"I do not know that. I can answer about {self._topics()}.")
            )
        if not draft.metrics and unexplained and not draft.ambiguous and not draft.cues.anomalies:
            word = " ".join(unexplained)
            return self._refused(
                text,
                Refusal(
                    "unknown_metric", f"There is no measure called “{word}” here. I know {self._topics()}."
                ),
            )
        if clarification := self._clarify(draft, spec, unexplained):
            return Parsed(text, "none", unexplained=unexplained, clarification=clarification)
        try:
            spec = validate(spec, self.model)
        except InvalidInput as error:
            return Parsed(text, "none", clarification=self._repair(spec, error), notes=(error.message,))
        return Parsed(text, "parsed", spec=spec, notes=tuple(draft.notes))

    def _topics(self) -> str:
        labels = [m.label.lower() for m in list(self.model.metrics.values())[:14]]
        return ", ".join(labels[:-1]) + " and " + labels[-1]

    def _clarify(self, draft: Draft, spec: QuerySpec, unexplained: tuple[str, ...]) -> Clarification | None:
        sources = {self.model.metric(id).source for id in draft.metrics}
        if unexplained:
            word = unexplained[0]
            return Clarification(f"What does “{word}” mean here?", self._without(draft, spec, word))
        if draft.unclear:
            words, targets = draft.unclear[0]
            choices = [question_of(self._with(spec, t), self.model) for t in targets[:4]]
            return Clarification(f"“{words}” can mean several things. Which one?", tuple(choices))
        if len(sources) > 1:
            return Clarification(
                "These are measured on different things. Which one first?", self._choices(spec, draft.metrics)
            )
        rated = "rate" in draft.ambiguous and not any(self.model.metric(id).is_ratio for id in draft.metrics)
        if draft.metrics and not rated:
            return None
        ids = [id for word in draft.ambiguous for id in self.model.ambiguous[word]] or list(
            self.model.ambiguous["kpi"]
        )
        question = (
            f"Which figure do you mean by “{draft.ambiguous[0]}”?" if draft.ambiguous else "Which figure?"
        )
        return Clarification(question, self._choices(spec, ids))

    def _choices(self, spec: QuerySpec, ids: list[str]) -> tuple[str, ...]:
        out = []
        for id in dict.fromkeys(ids):
            order = replace(spec.order, by=id) if spec.order else None
            candidate = replace(spec, metrics=(id,), order=order, intent="value")
            try:
                out.append(question_of(validate(candidate, self.model), self.model))
            except InvalidInput:
                continue  # this figure cannot be split that way: not a choice
        return tuple(out[:4])

    def _with(self, spec: QuerySpec, target: Target) -> QuerySpec:
        if target.kind == "metric":
            return replace(spec, metrics=(target.id,))
        if target.kind == "dimension":
            return replace(spec, dimensions=(*spec.dimensions, target.id)[:2])
        if target.value is None:
            return spec
        return replace(spec, filters=(*spec.filters, Filter(target.id, "in", (target.value,))))

    def _without(self, draft: Draft, spec: QuerySpec, word: str) -> tuple[str, ...]:
        choices: list[str] = []
        for target in self.lexicon.suggestions(word):
            candidate = self._with(spec, target)
            if candidate.metrics and candidate != spec:
                choices.append(question_of(candidate, self.model))
        if spec.metrics:
            choices.append(question_of(spec, self.model))
        else:
            ids = [id for name in draft.ambiguous for id in self.model.ambiguous[name]]
            choices += self._choices(spec, ids)
        return tuple(dict.fromkeys(choices))[:4]

    def _repair(self, spec: QuerySpec, error: InvalidInput) -> Clarification:
        source = self.model.metric(spec.metrics[0]).source
        fitting = tuple(d for d in spec.dimensions if source in self.model.dimension(d).columns)[:2]
        filters = tuple(f for f in spec.filters if source in self.model.dimension(f.dimension).columns)
        timed = self.model.sources[source].time is not None
        fixed = replace(spec, dimensions=fitting, filters=filters, grain=spec.grain if timed else None)
        return Clarification(error.message, self._choices(fixed, list(spec.metrics)))

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
            return QuerySpec(
                metrics or self.model.ambiguous["kpi"][:1],
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
            period = found[0].period if found else None
        wanted = draft.cues.change and not draft.cues.trend and grain is None
        if given is None and (any(f.compare_previous for f in draft.dates) or wanted):
            period = period or self._whole_month(anchor)
            given = previous(period)
        if draft.cues.trend and grain is None:
            grain = auto_grain(period, self.model.monthly)
        return period, given, grain

    def _whole_month(self, anchor: Anchor) -> Period:
        return unit_period(anchor.day, "month", 0 if anchor.monthly else -1)


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
