"""What a check says: findings with span, source and repair; a verdict over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from smart_reach.engine.compliance.message import FieldName

Severity = Literal["block", "warn", "info"]
Status = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Edit:
    """Replace [start, end) of a field's *template* by `text`."""

    field: FieldName
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Finding:
    """One rule broken at one place.

    `span` is in the rendered text of `field` (empty where something is missing); `repair` is the text
    that would stand in place of the edit's span ("" deletes it). `edit` is the same repair for the template.
    """

    rule: str
    severity: Severity
    field: FieldName
    span: tuple[int, int]
    text: str
    reason: str
    source: str
    repair: str
    edit: Edit

    def as_json(self) -> dict[str, Any]:
        """Plain values, spans as lists."""
        return {**asdict(self), "span": list(self.span)}


@dataclass(frozen=True)
class Check:
    """The outcome of one rule, for a reviewer to read."""

    id: str
    label: str
    status: Status
    detail: str
    source: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Verdict:
    """Every finding and every check. `passed` means that nothing blocks; warnings may remain."""

    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        return all(finding.severity != "block" for finding in self.findings)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "block")

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "findings": merged(self.findings),
            "checks": [check.as_json() for check in self.checks],
        }


def merged(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as plain values, those that say the same once; `spans` names every place."""
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for finding in findings:
        key = (finding.rule, finding.reason.casefold())
        place = {"field": finding.field, "start": finding.span[0], "end": finding.span[1]}
        told.setdefault(key, {**finding.as_json(), "spans": []})["spans"].append(place)
    return list(told.values())
