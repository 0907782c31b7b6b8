"""Rules as data: parsed once into frozen values, selected by offer and channel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from smart_reach.engine.catalog.words import CHANNELS, require_channel
from smart_reach.engine.compliance.findings import Severity
from smart_reach.engine.compliance.message import FIELDS, FieldName
from smart_reach.engine.errors import Integrity, InvalidInput

FigureCheck = Literal["unbound", "superseded", "foreign", "qualifier", "modified", "slot"]
Kind = Literal[
    "figure", "plain_text", "forbidden", "required_text", "required_term", "length", "present", "language"
]
FIGURE_CHECKS: tuple[str, ...] = get_args(FigureCheck)


@dataclass(frozen=True)
class Pattern:
    """Words that may not stand in a message (matched on folded text), and what may stand instead.

    A repair of "" takes the words out; None takes out the sentence, where it means nothing without them.
    """

    match: re.Pattern[str]
    repair: str | None


@dataclass(frozen=True)
class Rule:
    """One rule. Empty channels, categories or offers mean every one of them.

    Which parameters count depends on `kind`: `check` (figure, plain_text), `patterns` (forbidden),
    `any_of`, `insert`, `at` (required_text), `term`, `insert` (required_term), `field`, `max` (length),
    `field`, `insert` (present). `advice` is what a writer is told, with `{said}` for the words found.
    """

    id: str
    title: str
    text: str
    source: str
    kind: Kind
    advice: str = ""
    severity: Severity = "block"
    channels: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    offers: frozenset[str] = frozenset()
    check: str = ""
    patterns: tuple[Pattern, ...] = ()
    any_of: tuple[re.Pattern[str], ...] = ()
    insert: str = ""
    at: Literal["start", "end"] = "end"
    term: str = ""
    field: FieldName = "body"
    max: int = 0

    def told(self, said: str) -> str:
        """What a writer is told about words that may not stand in a message."""
        title = self.title[:1].lower() + self.title[1:]
        return (self.advice or f"Avoid “{{said}}”: {title}.").replace("{said}", said)

    @property
    def general(self) -> bool:
        """Whether the rule looks at wording alone, whatever the product."""
        return (
            self.kind in {"forbidden", "plain_text", "language"} and not self.categories and not self.offers
        )

    def covers(self, offer_id: str, category: str, channel: str) -> bool:
        return (
            (not self.channels or channel in self.channels)
            and (not self.categories or category in self.categories)
            and (not self.offers or offer_id in self.offers)
        )


@dataclass(frozen=True)
class RuleBook:
    """All rules, and the category of each offer. `version` names the edition that gave a verdict."""

    rules: tuple[Rule, ...]
    categories: Mapping[str, str]
    version: str = ""
    _chosen: dict[tuple[str, str], tuple[Rule, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        there = {rule.check for rule in self.rules if rule.kind == "figure"}
        if missing := sorted(set(FIGURE_CHECKS) - there):
            raise Integrity(f"The rules lack the figure checks {', '.join(missing)}.")
        ids = [rule.id for rule in self.rules]
        if len(ids) != len(set(ids)):
            raise Integrity(f"Rule ids repeat: {sorted({i for i in ids if ids.count(i) > 1})}.")

    def general(self, channel: str) -> tuple[Rule, ...]:
        """The rules on wording that hold for every product. Raises `InvalidInput` for an unknown channel."""
        require_channel(channel)
        return tuple(r for r in self.rules if r.general and (not r.channels or channel in r.channels))

    def of(self, offer_id: str, channel: str) -> tuple[Rule, ...]:
        """The rules for an offer on a channel. Raises `InvalidInput` for an unknown one."""
        key = (offer_id, channel)
        if key not in self._chosen:
            require_channel(channel)
            if offer_id not in self.categories:
                raise InvalidInput("offer", offer_id, f"Use one of {', '.join(sorted(self.categories))}.")
            category = self.categories[offer_id]
            self._chosen[key] = tuple(r for r in self.rules if r.covers(offer_id, category, channel))
        return self._chosen[key]


def parse_rules(entries: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Turn plain mappings (from YAML) into rules. Raises `Integrity` naming the rule that is wrong."""
    return tuple(_parse(entry) for entry in entries)


def _parse(entry: Mapping[str, Any]) -> Rule:
    name = entry.get("id", "?")
    values = {key: value for key, value in entry.items() if key != "section"}
    for key in ("channels", "categories", "offers"):
        values[key] = frozenset(values.get(key) or ())
    if unknown := values["channels"] - set(CHANNELS):
        raise Integrity(f"Rule {name}: unknown channels {sorted(unknown)}.")
    try:
        values["any_of"] = tuple(re.compile(pattern) for pattern in values.get("any_of") or ())
        values["patterns"] = tuple(
            Pattern(re.compile(item["match"]), item["repair"]) for item in values.get("patterns") or ()
        )
        rule = Rule(**values)
    except (re.error, TypeError, KeyError) as error:
        raise Integrity(f"Rule {name} cannot be read: {error}.") from error
    if rule.kind not in get_args(Kind) or rule.field not in FIELDS or not _complete(rule):
        raise Integrity(f"Rule {name}: its kind {rule.kind!r} and its parameters do not fit together.")
    return rule


def _complete(rule: Rule) -> bool:
    needed = {
        "figure": rule.check in FIGURE_CHECKS,
        "plain_text": rule.check in {"markup", "hidden"},
        "forbidden": rule.patterns,
        "required_text": rule.any_of and rule.insert,
        "required_term": rule.term and "{term}" in rule.insert,
        "length": rule.max > 0,
        "present": rule.insert,
        "language": True,
    }
    return bool(needed[rule.kind])
