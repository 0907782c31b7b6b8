"""What a check says: findings with span, source and repair; a verdict over them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from smart_reach.engine.compliance.message import FIELDS, FieldName, Message

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


def applied(message: Message, findings: Sequence[Finding]) -> Message:
    """The message with the findings' edits, as far as they do not overlap."""
    for field in FIELDS:
        edits = _compatible([finding.edit for finding in findings if finding.edit.field == field])
        if not edits:
            continue
        text = getattr(message, field) or ""
        for edit in reversed(edits):
            text = text[: edit.start] + edit.text + text[edit.end :]
        text = _tidy(text)
        message = message.with_field(field, text[:1].upper() + text[1:] if text[:1].isalpha() else text)
    return message


def _tidy(text: str) -> str:
    """Mend the joins of edits: double spaces, lost commas, two stops where one belongs."""
    text = re.sub(r"[ \t]{2,}", " ", text)
    text = re.sub(r",\s*(?=[.!?;:]|$)", "", text)
    text = re.sub(r" +(?=[.,;:!?\n](?!\w))", "", text).strip()
    text = re.sub(r"(?<![.])([.!?])[.](?=\s|$)", r"\1", text)
    return re.sub(r"^[.,;]+\s+", "", text)


def _compatible(edits: Sequence[Edit]) -> list[Edit]:
    """Edits that do not overlap, first come first served, in order of place."""
    chosen: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: edit.start == edit.end):
        if edit.start == edit.end and any(_brings(other, edit) for other in chosen):
            continue
        if not any(edit.start < other.end and other.start < edit.end for other in chosen):
            chosen.append(edit)
    return sorted(chosen, key=lambda edit: (edit.start, edit.end))


def _brings(other: Edit, insertion: Edit) -> bool:
    """Whether another repair already puts in the figure that a missing line is about."""
    return len(other.text.strip()) > 3 and other.text.strip() in insertion.text
