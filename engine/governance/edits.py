"""Editing a proposal's copy: which fields may change, what a change does to figures, and the diff."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from smart_reach.engine.errors import InvalidInput, Unavailable

EDITABLE = ("subject", "body", "cta")
MAX_TEXT = 20_000
_REFERENCE = re.compile(r"\{term:([a-z0-9_.-]+)@(\d+)\}")
_WORD = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Recheck:
    """What compliance says of an edited payload.

    `checks` replace the payload's checks, `blocks` are the reasons that refuse the edit, `variants`
    (when given) replace the payload's variants, for a checker that binds figures anew.
    """

    checks: list[dict[str, Any]]
    blocks: list[str] = field(default_factory=list)
    variants: list[dict[str, Any]] | None = None


Rechecker = Callable[[Session, dict[str, Any]], Recheck]


def apply_edits(payload: Mapping[str, Any], edits: Mapping[str, Any] | None) -> dict[str, Any]:
    """A new payload with the edited copy. Only subject, body and cta of existing variants may change."""
    changed = copy.deepcopy(dict(payload))
    variants = {str(variant.get("id")): variant for variant in changed.get("variants", [])}
    wanted = _variant_edits(edits)
    for edit in wanted:
        variant = variants.get(str(edit.get("id")))
        if variant is None:
            raise InvalidInput("edits.variants.id", edit.get("id"), f"Use one of {', '.join(variants)}.")
        _edit_variant(variant, edit)
    return changed


def _variant_edits(edits: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    wanted = edits.get("variants") if isinstance(edits, Mapping) else None
    if not isinstance(wanted, list) or not wanted or not all(isinstance(e, Mapping) for e in wanted):
        raise InvalidInput("edits", edits, 'Send {"variants": [{"id", "subject", "body"}]}.')
    if extra := set(edits or ()) - {"variants"}:
        raise InvalidInput("edits", sorted(extra), "Only variants can be edited.")
    return wanted


def _edit_variant(variant: dict[str, Any], edit: Mapping[str, Any]) -> None:
    for name, text in edit.items():
        if name == "id" or text is None:
            continue
        if name not in EDITABLE:
            raise InvalidInput("edits.variants", name, f"Only {', '.join(EDITABLE)} can be edited.")
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise InvalidInput(f"edits.variants.{name}", type(text).__name__, "Send a text.")
        variant[name] = text
    variant["figures"] = [f for f in variant.get("figures", []) if _still_used(variant, f)]


def _still_used(variant: Mapping[str, Any], figure: Mapping[str, Any]) -> bool:
    """A figure stays bound only while its reference stands in the copy."""
    used = {
        (term, int(version))
        for name in EDITABLE
        for term, version in _REFERENCE.findall(str(variant.get(name) or ""))
    }
    return (figure.get("term_id"), figure.get("version")) in used


def recheck_payload(session: Session, payload: dict[str, Any], recheck: Rechecker | None) -> dict[str, Any]:
    """Put the new verdict into the payload; `InvalidInput` when a rule blocks the copy."""
    if recheck is None:
        raise Unavailable(
            "Edits cannot be checked here, so they are not taken.", hint="Reject and draft anew."
        )
    result = recheck(session, payload)
    if result.blocks:
        raise InvalidInput("edits", "the edited copy", " ".join(result.blocks))
    payload["checks"] = result.checks
    if result.variants is not None:
        payload["variants"] = result.variants
    return payload


def resolve(text: str, figures: list[dict[str, Any]]) -> str:
    """Copy with each term reference replaced by the figure's approved text; for reading, not sending."""
    texts = {(f.get("term_id"), f.get("version")): str(f.get("text", "")) for f in figures}
    return _REFERENCE.sub(lambda m: texts.get((m[1], int(m[2])), m[0]), text)


def word_diff(before: str, after: str) -> list[dict[str, str]]:
    """Word-level diff as [{op: equal|insert|delete, text}]; white space counts as words of its own."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    steps: list[dict[str, str]] = []
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    for op, i1, i2, j1, j2 in matcher.get_opcodes():
        if op == "equal":
            steps.append({"op": "equal", "text": "".join(old[i1:i2])})
            continue
        if i2 > i1:
            steps.append({"op": "delete", "text": "".join(old[i1:i2])})
        if j2 > j1:
            steps.append({"op": "insert", "text": "".join(new[j1:j2])})
    return steps
