"""What the words of a question name: metrics, dimensions, filters, and what stays unexplained."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from smart_reach.engine.english import MONTHS
from smart_reach.engine.metrics.model import GENERIC, SemanticModel
from smart_reach.engine.metrics.questions.dates import Found, find_dates
from smart_reach.engine.metrics.questions.lexicon import Lexicon, Match, Target, lemma, tokens_of
from smart_reach.engine.metrics.questions.periods import Anchor
from smart_reach.engine.metrics.questions.phrases import Cues, find_cues, vocabulary
from smart_reach.engine.metrics.spec import Filter

_NEWEST = re.compile(r"\b(?:last|latest|newest|most recent) campaign\b")


@dataclass
class Draft:
    """What has been understood so far."""

    tokens: list[str]
    cues: Cues
    dates: list[Found]
    metrics: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    dimensions: list[str] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    unclear: list[tuple[str, tuple[Target, ...]]] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    defined: str | None = None  # a word of the glossary


class Reader:
    """Reads the tokens of a question into a draft, for one model and one index of values."""

    def __init__(self, model: SemanticModel, lexicon: Lexicon) -> None:
        self.model = model
        self.lexicon = lexicon

    def read(self, tokens: list[str], anchor: Anchor) -> Draft:
        """Everything that the words say by themselves; relative dates counted from `anchor`."""
        tokens, corrections = self.lexicon.spell(tokens, vocabulary().known | frozenset(MONTHS))
        joined = " ".join(tokens)
        ends: dict[int, int] = {}
        position = 0
        for i, token in enumerate(tokens):
            ends.update(dict.fromkeys(range(position, position + len(token)), i))
            position += len(token) + 1
        dates = find_dates(joined, anchor)
        taken = {ends[c] for found in dates for c in range(found.start, found.end) if c in ends}
        # "for may" must not lose the filter's preposition; "text messages" must not become a period
        cues = find_cues(joined, ends, taken, "age" in self.model.dimensions)
        draft = Draft(tokens, cues, dates, notes=corrections)
        newest = self._newest_campaign(joined, ends, taken)
        taken |= newest
        matches = self.lexicon.match(tokens, taken | cues.numbers, vocabulary().known)
        used = taken | cues.taken | {i for m in matches for i in range(m.start, m.end)}
        matches = sorted([*matches, *self._distant(tokens, matches, used)], key=lambda m: m.start)
        self._assign(draft, matches)
        if newest and (campaign := self.lexicon.newest_campaign):
            draft.filters.append(Filter("campaign", "in", (campaign,)))
        used |= {i for m in matches for i in range(m.start, m.end)}
        draft.unexplained = [t for i, t in enumerate(tokens) if i not in used and t not in vocabulary().known]
        return draft

    def _newest_campaign(self, joined: str, ends: dict[int, int], taken: set[int]) -> set[int]:
        """The tokens of “the last campaign”, where it is known which one that is."""
        match = _NEWEST.search(joined) if self.lexicon.newest_campaign else None
        span = {ends[c] for c in range(match.start(), match.end()) if c in ends} if match else set()
        return set() if span & taken else span

    def _distant(self, tokens: list[str], matches: list[Match], used: set[int]) -> list[Match]:
        """Values that mean nothing alone, a few words from their dimension: previous outcome was success."""
        found = []
        for i, token in enumerate(tokens):
            if i in used or token not in GENERIC:
                continue
            for match in matches:
                near = min(abs(i - match.start), abs(i - match.end + 1)) <= 3
                for target in match.targets if near else ():
                    if (
                        target.kind == "dimension"
                        and (value := self.lexicon.value_of(target.id, token)) is not None
                    ):
                        found.append(Match(i, i + 1, (Target("value", target.id, value),)))
        return found[:3]

    def _assign(self, draft: Draft, matches: list[Match]) -> None:
        values: list[tuple[Match, Target]] = []
        named: list[tuple[Match, str]] = []
        for match in matches:
            words = " ".join(draft.tokens[match.start : match.end])
            target = self._choose(draft, match)
            if target is None:
                draft.unclear.append((words, match.targets))
            elif target.kind == "metric":
                named.append((match, target.id))
            elif target.kind == "ambiguous" and target.id in self.model.bundles:
                named += [(match, id) for id in self.model.bundles[target.id]]
            elif target.kind == "ambiguous" and target.id in self.model.glossary:
                draft.defined = target.id
            elif target.kind == "ambiguous":
                draft.ambiguous.append(target.id)
            elif target.kind == "value":
                values.append((match, target))
            elif target.id not in draft.dimensions and self._groups(draft, match):
                draft.dimensions.append(target.id)
            if match.fuzzy and target is not None:
                draft.notes.append(f"read “{words}” as {self._label(target)}")
        strong = named
        for weak in (vocabulary().weakest, vocabulary().weak):
            strong = [m for m in strong if not self._is_weak(draft, m[0], weak)] or strong
        if draft.ambiguous and all(draft.tokens[m.start] == "message" for m, _ in strong):
            strong = []  # which message variant performed best: the message is no figure here
        draft.metrics = list(dict.fromkeys(id for _, id in strong))
        self._filters(draft, values)

    def _choose(self, draft: Draft, match: Match) -> Target | None:
        """One meaning of a phrase from its place in the sentence; None when several remain."""
        by_kind = {
            kind: [t for t in match.targets if t.kind == kind]
            for kind in ("metric", "dimension", "value", "ambiguous")
        }
        grouped = bool(
            vocabulary().grouping.intersection(draft.tokens[max(0, match.start - 2) : match.start])
        )
        order = (
            ("dimension", "metric", "value", "ambiguous")
            if grouped
            else ("metric", "value", "dimension", "ambiguous")
        )
        for kind in order:
            if found := by_kind[kind]:
                return found[0] if len(found) == 1 else None
        return None

    def _label(self, target: Target) -> str:
        if target.kind == "metric":
            return self.model.metric(target.id).label
        if target.kind == "ambiguous":
            return target.id
        dimension = self.model.dimension(target.id)
        return dimension.label if target.value is None else dimension.display(target.value)

    def _is_weak(self, draft: Draft, match: Match, weak: frozenset[str]) -> bool:
        token = draft.tokens[match.start]
        said = token in weak or (weak is vocabulary().weakest and lemma(token) in weak)
        return said and match.end - match.start == 1

    def _groups(self, draft: Draft, match: Match) -> bool:
        words = draft.tokens[match.start : match.end]
        if len(words) > 1 or lemma(words[0]) not in vocabulary().unless_grouped:
            return True
        listed = match.start > 0 and draft.tokens[match.start - 1] == "and"
        before = set(draft.tokens[max(0, match.start - (6 if listed else 3)) : match.start])
        ranked = draft.cues.limit is not None or draft.cues.direction is not None
        return ranked or bool(before & vocabulary().grouping)

    def _filters(self, draft: Draft, values: list[tuple[Match, Target]]) -> None:
        included: dict[str, list[str | int]] = {}
        excluded: dict[str, list[str | int]] = {}
        last_negative = -9
        for match, target in values:
            before = draft.tokens[max(0, match.start - 3) : match.start]
            chained = match.start - last_negative <= 2 and last_negative > 0
            negative = bool(vocabulary().exclude.intersection(before)) or (
                chained and bool({"and", "or", "nor"}.intersection(before))
            )
            if negative:
                last_negative = match.end
            assert target.value is not None
            bucket = (excluded if negative else included).setdefault(target.id, [])
            if target.value not in bucket:
                bucket.append(target.value)
        words = set(draft.tokens)
        versus = bool(vocabulary().versus & words) or (
            "or" in words and bool(vocabulary().comparative & words)
        )
        for id, found in included.items():
            draft.filters.append(Filter(id, "in", tuple(found)))
            if len(found) > 1 and versus:
                if id not in draft.dimensions:
                    draft.dimensions.append(id)
            elif len(found) == 1 and id in draft.dimensions and not self._by(draft, id):
                draft.dimensions.remove(id)
        draft.filters += [Filter(id, "not_in", tuple(found)) for id, found in excluded.items()]
        draft.filters += draft.cues.age

    def _by(self, draft: Draft, id: str) -> bool:
        """Whether a dimension was asked for as a grouping, not only named beside its value."""
        names = {
            phrase_word for alias in self.model.dimension(id).aliases for phrase_word in tokens_of(alias)
        }
        return any(
            a in {"by", "per", "each", "which", "across"} and b in names
            for a, b in zip(draft.tokens, draft.tokens[1:], strict=False)
        )
