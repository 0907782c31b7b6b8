"""Fills a tool's arguments from a request: a value is found in the text or it is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from smart_reach.agents.language.routing.clauses import outside_quotes, quoted
from smart_reach.agents.language.vocabulary import ValueFinder
from smart_reach.engine.english import ONE_TO_TWELVE

_ID_PATTERNS: Final[Mapping[str, str]] = {
    "customer_id": r"\bcus_\d+\b",
    "proposal_id": r"\bPRP-\d+\b",
    "decision_id": r"\bDEC-\w+\b",
    "experiment_id": r"\bEXP-\w+\b",
    "name": r"\bEXP-\w+\b",
}
_CUSTOMER_NUMBER: Final = re.compile(
    r"\b(?:customer|client|user|account holder)\s*(?:no\.?|#|id|number)?\s*(\d{1,6})\b", re.I
)
_COPY_FIELDS: Final = frozenset({"text", "copy", "body", "message"})
_REQUEST_FIELDS: Final = frozenset(
    {"question", "request", "query", "description", "brief", "prompt", "input"}
)
_RESULT_FIELDS: Final = frozenset(
    {"answer", "summary", "reason", "result", "output", "response", "explanation"}
)
_NUMBER_WORDS: Final = {**ONE_TO_TWELVE, "a couple of": 2, "a pair of": 2, "a dozen": 12, "a hundred": 100}
_NUMBER: Final = re.compile(
    r"(?<![\w.,-])(\d{1,3}(?:,\d{3})+|\d+)(?![\w%]|[.,]\d|-\w)|\b(" + "|".join(_NUMBER_WORDS) + r")\b", re.I
)
_COUNTED: Final[Mapping[str, str]] = {
    "count": r"variants?|versions?|options?|messages?|subject|headlines?|lines?|drafts?|takes?|texts?|sms"
    r"|e?-?mails?|push|ideas?",
    "n": r"variants?|versions?|options?|messages?|headlines?|drafts?",
    "limit": r"customers?|people|clients?|recipients?|names|leads|slots",
}
_DATE: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")


@dataclass(frozen=True)
class Said:
    """What a tool's arguments may be read from.

    `clause` is the part meant for this tool, `request` the whole of it, `context` what came before in the
    conversation and `result` the last tool's text.
    """

    clause: str
    request: str
    context: str = ""
    result: str = ""


@dataclass(frozen=True)
class Filled:
    """Arguments found, and the names of required ones that were not, with the values they may take."""

    args: dict[str, Any]
    missing: dict[str, tuple[str, ...]]


class ArgumentFiller:
    """Reads arguments by their JSON schema. Deterministic; never makes up a value."""

    def __init__(self, finder: ValueFinder) -> None:
        self._finder = finder

    def fill(self, schema: Mapping[str, Any], said: Said) -> Filled:
        """Fill an object schema (JSON Schema draft 2020-12 as pydantic writes it)."""
        definitions = schema.get("$defs", {})
        required = set(schema.get("required", ()))
        args: dict[str, Any] = {}
        missing: dict[str, tuple[str, ...]] = {}
        for name, raw in schema.get("properties", {}).items():
            field = resolve(raw, definitions)
            value = self._value(name, field, said, required=name in required, definitions=definitions)
            if value is not None:
                args[name] = value
            elif name in required:
                missing[name] = _enumeration(field)
        return Filled(args, missing)

    def _value(
        self,
        name: str,
        field: Mapping[str, Any],
        said: Said,
        *,
        required: bool,
        definitions: Mapping[str, Any],
    ) -> Any:
        values = _enumeration(field)
        if values:
            return self._choice(values, said, required=required)
        kind = field.get("type", "string")
        if kind == "array":
            items = _enumeration(resolve(field.get("items", {}), definitions))
            found = self._finder.find_all(items, said.clause) if items else []
            return found or ([] if required else None)
        if kind == "object":
            if "properties" not in field:
                return {} if required else None
            return self.fill({**field, "$defs": definitions}, said).args or ({} if required else None)
        if kind in {"integer", "number"}:
            return _number(name, field, said)
        if kind == "boolean":
            return None
        return _string(name, field, said, required=required)

    def _choice(self, values: tuple[str, ...], said: Said, *, required: bool) -> str | None:
        """First in the clause, then the request; a required one also in what was said before."""
        if (found := self._finder.find(values, outside_quotes(said.clause))) is not None:
            return found
        # A channel inside the copy ("open our e-mail") is not the one it is meant for; an offer is.
        inside = None if "push" in values else self._finder.find(values, said.clause)
        if inside is not None:
            return inside
        if said.request != said.clause:
            named = self._finder.find_all(values, outside_quotes(said.request))
            if len(named) == 1:
                return named[0]
        if not required:
            return None
        for text in (said.result, said.context):
            if text and (found := self._finder.find(values, text)) is not None:
                return found
        return self._finder.closest(values, said.clause)


def resolve(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a `$ref`, and take the first kind of an optional one."""
    if "$ref" in field:
        return resolve(definitions[field["$ref"].rsplit("/", 1)[-1]], definitions)
    options = [option for option in field.get("anyOf", ()) if option.get("type") != "null"]
    return resolve(options[0], definitions) if options else field


def _enumeration(field: Mapping[str, Any]) -> tuple[str, ...]:
    if "const" in field:
        return (str(field["const"]),)
    return tuple(str(value) for value in field.get("enum", ()) if value is not None)


def _string(name: str, field: Mapping[str, Any], said: Said, *, required: bool) -> str | None:
    if name in _ID_PATTERNS or "pattern" in field or name.endswith("_id"):
        return _identifier(name, field, said, required=required)
    if field.get("format") in {"date", "date-time"}:
        found = _DATE.search(said.clause) or _DATE.search(said.request)
        return found.group(0) if found else None
    if name in _COPY_FIELDS:
        return copy_in(said)
    if name in _REQUEST_FIELDS:
        return said.clause or said.request
    if name in _RESULT_FIELDS:
        return said.result or (said.request if required else None)
    return (said.result or said.request) if required else None


def _identifier(name: str, field: Mapping[str, Any], said: Said, *, required: bool) -> str | None:
    pattern = field.get("pattern", "").strip("^$") or _ID_PATTERNS.get(name) or r"\b[A-Za-z]{2,5}[-_]\d+\b"
    for text in (said.clause, said.request, *((said.result, said.context) if required else ())):
        if found := re.search(pattern, text, re.IGNORECASE):
            value = found.group(0)
            return value.lower() if value.lower().startswith("cus_") else value.upper()
        if name == "customer_id" and (numbered := _CUSTOMER_NUMBER.search(text)):
            return f"cus_{int(numbered.group(1)):06d}"
    return None


def copy_in(said: Said) -> str | None:
    """The copy that a request holds: quoted, else what follows a colon, else what came before it."""
    if span := quoted(said.request):
        return span
    head, colon, tail = said.request.partition(":")
    if colon and len(tail.split()) >= 3 and len(head.split()) <= 12:
        return tail.strip()
    return said.result or said.context or None


def _number(name: str, field: Mapping[str, Any], said: Said) -> int | float | None:
    """A number beside the word it counts; one without a counted word must stand alone in the clause."""
    top, low = field.get("maximum"), field.get("minimum")
    counted = _COUNTED.get(name)
    found = []
    for match in _NUMBER.finditer(said.clause):
        value = int(match[1].replace(",", "")) if match[1] else _NUMBER_WORDS[match[2].lower()]
        near = " ".join(said.clause[match.end() :].split()[:3])
        if counted is None or re.search(rf"\b(?:{counted})\b", near, re.IGNORECASE):
            found.append(value)
    if not found or (counted is None and len(found) > 1):
        return None
    value = found[0]
    return value if (top is None or value <= top) and (low is None or value >= low) else None
