"""Questions back: what was not understood, with choices that can be asked as they stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.metrics.model import SemanticModel
from smart_reach.engine.metrics.questions.lexicon import Lexicon, Target
from smart_reach.engine.metrics.questions.periods import Anchor, rolling
from smart_reach.engine.metrics.questions.reading import Draft
from smart_reach.engine.metrics.spec import Filter, Order, QuerySpec, question_of, validate


@dataclass(frozen=True)
class Clarification:
    """A question back, with choices that can be asked as they stand."""

    question: str
    choices: tuple[str, ...]


class Clarifier:
    """Asks back about one draft; relative dates in choices count from `anchor`."""

    def __init__(self, model: SemanticModel, lexicon: Lexicon, anchor: Anchor) -> None:
        self.model, self.lexicon, self.anchor = model, lexicon, anchor

    def topics(self) -> str:
        labels = [m.label.lower() for m in list(self.model.metrics.values())[:14]]
        return ", ".join(labels[:-1]) + " and " + labels[-1]

    def ask(self, draft: Draft, spec: QuerySpec, unexplained: tuple[str, ...]) -> Clarification | None:
        sources = {self.model.metric(id).source for id in draft.metrics}
        if problem := next((f.problem for f in draft.dates if f.problem), None):
            return Clarification(problem, self._periods(draft, spec))
        if unexplained:
            return self._unexplained(draft, spec, unexplained[0])
        if draft.unclear:
            words, targets = draft.unclear[0]
            choices = [question_of(self._with(spec, t), self.model) for t in targets[:4]]
            return Clarification(f"“{words}” can mean several things. Which one?", tuple(choices))
        if len(sources) > 1:
            return Clarification(
                "These are measured on different things. Which one first?", self.choices(spec, draft.metrics)
            )
        rated = "rate" in draft.ambiguous and not any(self.model.metric(id).is_ratio for id in draft.metrics)
        if (draft.metrics and not rated) or draft.cues.anomalies:
            return None
        if draft.cues.direction and (spec.dimensions or spec.grain):
            # which did best: every choice is ranked, each by its own figure
            spec = replace(spec, order=Order("", draft.cues.direction == "desc"))
        question = (
            f"Which figure do you mean by “{draft.ambiguous[0]}”?" if draft.ambiguous else "Which figure?"
        )
        return Clarification(question, self.choices(spec, self._meant(draft)))

    def choices(self, spec: QuerySpec, ids: list[str]) -> tuple[str, ...]:
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

    def _periods(self, draft: Draft, spec: QuerySpec) -> tuple[str, ...]:
        """The question with the nearest period that works, and with the usual ones."""
        ids = list(spec.metrics) or self._meant(draft)
        periods = [spec.period, *(rolling(self.anchor, days, "day") for days in (7, 30))]
        base = replace(spec, metrics=tuple(ids[:1]), comparison=None, intent="value")
        texts = [question_of(replace(base, period=period), self.model) for period in periods if period]
        return tuple(dict.fromkeys(texts))

    def _meant(self, draft: Draft) -> list[str]:
        ids = [id for word in draft.ambiguous for id in self.model.ambiguous[word]]
        return ids or list(self.model.ambiguous["kpi"])

    def unknown_value(self, draft: Draft, spec: QuerySpec) -> Clarification | None:
        """A word beside a dimension's name that is none of its values: the moon offer, offer called moon."""
        at = {i for i, token in enumerate(draft.tokens) if token in draft.unexplained}
        for i in sorted(at):
            first, last = i, i
            while last + 1 in at:
                last += 1
            for beside in (last + 1, first - 1, first - 2):
                named = draft.tokens[beside] if 0 <= beside < len(draft.tokens) else ""
                if beside == first - 2 and draft.tokens[first - 1] not in ("called", "named", "is"):
                    continue
                if named and (id := self.lexicon.named(named)):
                    return self._no_such(draft, spec, id, " ".join(draft.tokens[first : last + 1]))
        return None

    def _no_such(self, draft: Draft, spec: QuerySpec, id: str, word: str) -> Clarification:
        dimension = self.model.dimension(id)
        known = self.lexicon.values(id, word)
        ids = list(spec.metrics) or self._meant(draft)
        rest = tuple(d for d in spec.dimensions if d != id)
        order = spec.order if rest or spec.grain else None
        base = replace(spec, metrics=tuple(ids[:1]), dimensions=rest, order=order, intent="value")
        texts = []
        for value in known[:4]:
            filters = (*spec.filters, Filter(id, "in", (value,)))
            try:
                fitting = validate(replace(base, filters=filters), self.model)
            except InvalidInput:
                continue  # this figure cannot be narrowed that way
            texts.append(question_of(fitting, self.model))
        names = [dimension.display(v) for v in known[:12]]
        more = " and others" if len(known) > len(names) else ""
        text = f"There is no {dimension.label.lower()} called {word}; known are {', '.join(names)}{more}."
        return Clarification(text, tuple(texts))

    def _unexplained(self, draft: Draft, spec: QuerySpec, word: str) -> Clarification:
        choices = self._without(draft, spec, word)
        if len(choices) == 1 and spec.metrics:
            return Clarification(f"I do not know “{word}”. Shall I answer without it?", choices)
        return Clarification(f"What does “{word}” mean here?", choices)

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
            choices += self.choices(spec, ids)
        return tuple(dict.fromkeys(choices))[:4]

    def repair(self, spec: QuerySpec, error: InvalidInput) -> Clarification:
        source = self.model.metric(spec.metrics[0]).source
        fitting = tuple(d for d in spec.dimensions if source in self.model.dimension(d).columns)[:2]
        filters = tuple(f for f in spec.filters if source in self.model.dimension(f.dimension).columns)
        timed = self.model.sources[source].time is not None
        fixed = replace(spec, dimensions=fitting, filters=filters, grain=spec.grain if timed else None)
        return Clarification(error.remedy, self.choices(fixed, list(spec.metrics)))
