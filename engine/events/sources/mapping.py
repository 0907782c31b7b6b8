"""The mapping file: which columns of a file become which fields of which records.

A closed vocabulary, no code and no SQL. docs/how-to/bring-your-data.md explains it with two real files.
Parsing needs the contracts only for the names of types and fields, so that a slip gets "did you mean".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.contracts.registry import CONTRACTS
from smart_reach.engine.events.sources.marked import Marked, check_zone, choices, read_marked
from smart_reach.engine.events.sources.values import Value, is_nested, read_value

TOP = ("name", "version", "description", "workspace", "file", "skip", "records")
FORMATS = ("csv", "parquet", "jsonl")
TESTS = ("is", "equals", "not", "in", "starts_with", "above", "below", "at_least", "at_most")


@dataclass(frozen=True)
class Condition:
    """`column` `test` `against`; an empty value passes no test but `is: empty`."""

    column: str
    test: str
    against: tuple[Any, ...]


@dataclass(frozen=True)
class Template:
    """One record made of each row for which every condition holds. `fields` in the order of the file."""

    name: str
    type: str
    when: tuple[Condition, ...]
    fields: Mapping[str, Value]


@dataclass(frozen=True)
class Skip:
    """Rows that the mapping leaves out on purpose; they are counted, not refused."""

    reason: str
    when: tuple[Condition, ...]


@dataclass(frozen=True)
class FileFormat:
    """How to read the file; None: find out."""

    format: str | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"


@dataclass(frozen=True)
class FileMapping:
    """A whole mapping. `digest`: hash of its text; `workspace`: facts for a workspace made for it."""

    name: str
    templates: tuple[Template, ...]
    skips: tuple[Skip, ...] = ()
    file: FileFormat = FileFormat()
    workspace: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    digest: str = ""
    text: str = ""

    def columns(self) -> list[str]:
        """Every column it reads, once, in order."""
        found: dict[str, None] = {}
        whens = [*(skip.when for skip in self.skips), *(one.when for one in self.templates)]
        for when in whens:
            found.update(dict.fromkeys(condition.column for condition in when))
        for value in (v for template in self.templates for v in template.fields.values()):
            found.update(dict.fromkeys(value.columns()))
        return [column for column in found if not column.startswith("$")]


def read_mapping(path: Path) -> FileMapping:
    """Read and check a mapping file. Raises `InvalidInput` naming file, line and the remedy."""
    if not path.is_file():
        raise InvalidInput("mapping", str(path), "There is no such file.")
    try:
        return parse_mapping(path.read_text("utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise InvalidInput(path.name, "broken text", "Save the mapping as UTF-8.") from error


def parse_mapping(text: str, file: str) -> FileMapping:
    """Check a mapping's text; see `read_mapping`."""
    top = read_marked(text, file).block(TOP, required=("name", "records"))
    if "version" in top and top["version"].scalar() != 1:
        top["version"].fail(top["version"].scalar(), "This release reads mappings of version 1.")
    templates = tuple(_template(one) for one in top["records"].items())
    names = [template.name for template in templates]
    if doubled := [name for name in names if names.count(name) > 1]:
        top["records"].fail(doubled[0], "Two records have this name; give each a `name` of its own.")
    return FileMapping(
        name=top["name"].text(),
        templates=templates,
        skips=tuple(_skip(one) for one in top["skip"].items()) if "skip" in top else (),
        file=_file(top["file"]) if "file" in top else FileFormat(),
        workspace=_workspace(top["workspace"]) if "workspace" in top else {},
        description=top["description"].text() if "description" in top else "",
        digest=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
    )


def plain_mapping(contract: str, columns: Sequence[str]) -> FileMapping:
    """The mapping of a file whose columns are named as the fields of one contract.

    A column `customer_key.crm_id` holds keys of that kind, `attributes.region` an attribute.
    Raises `InvalidInput` for a column that is no field.
    """
    known = _fields_of(contract)
    fields: dict[str, Value] = {}
    for column in columns:
        name, dot, inner = column.partition(".")
        target = known.get(name)
        if target is None or is_nested(target) != bool(dot):
            raise InvalidInput(f"column {column}", column, _no_field(column, contract, known))
        if not dot:
            fields[name] = Value(target, column=column)
        elif name in fields and target == "key":
            raise InvalidInput(f"column {column}", column, "A record has one customer_key.")
        else:
            leaf = Value("scalar" if target == "attributes" else "id", column=column)
            before = fields[name].parts if name in fields else ()
            fields[name] = Value(target, parts=(*before, (inner, leaf)))
    template = Template(contract, contract, (), fields)
    return FileMapping(contract, (template,), digest=f"type:{contract}")


def _template(one: Marked) -> Template:
    parts = one.block(("name", "type", "when", "fields"), required=("type", "fields"))
    contract = parts["type"].word(tuple(CONTRACTS))
    known = _fields_of(contract)
    fields = {}
    for name, value in parts["fields"].entries():
        if name == "type" or name not in known:
            value.fail(name, _no_field(name, contract, known))
        fields[name] = read_value(value, known[name])
    name = parts["name"].text() if "name" in parts else contract
    return Template(name, contract, _conditions(parts.get("when")), fields)


def _fields_of(contract: str) -> dict[str, str]:
    return {one.name: one.type for one in CONTRACTS[contract].fields}


def _no_field(name: str, contract: str, known: Mapping[str, str]) -> str:
    return f"A {contract} has no such field. {choices(name, list(known))}"


def _skip(one: Marked) -> Skip:
    parts = one.block(("reason", "when"), required=("reason", "when"))
    return Skip(parts["reason"].text(), _conditions(parts["when"]))


def _conditions(when: Marked | None) -> tuple[Condition, ...]:
    return () if when is None else tuple(_condition(one) for one in when.items())


def _condition(one: Marked) -> Condition:
    parts = one.block(("column", *TESTS), required=("column",))
    tests = [name for name in parts if name != "column"]
    if len(tests) != 1:
        one.fail(", ".join(tests) or None, f"A condition has exactly one of: {', '.join(TESTS)}.")
    test, column = tests[0], parts["column"].text()
    if test == "is":
        return Condition(column, test, (parts["is"].word(("empty", "present")),))
    against = tuple(_against(item, test) for item in parts[test].items())
    if test != "in" and len(against) != 1:
        parts[test].fail("a list", "One value belongs here; for several use `in`.")
    return Condition(column, test, against)


def _against(item: Marked, test: str) -> str | int | float:
    value = item.scalar()
    if value is None:
        item.fail(value, "To ask for an empty value write `is: empty`.")
    if test in ("above", "below", "at_least", "at_most"):
        if isinstance(value, bool | str):
            item.fail(value, "This test compares with a number.")
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _file(block: Marked) -> FileFormat:
    parts = block.block(("format", "delimiter", "encoding"))
    delimiter = str(parts["delimiter"].scalar()) if "delimiter" in parts else None
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\n\r'):
        parts["delimiter"].fail(delimiter, 'Use one character, such as `,` or `;`; a tab is "\\t".')
    return FileFormat(
        format=parts["format"].word(FORMATS) if "format" in parts else None,
        delimiter=delimiter,
        encoding=parts["encoding"].word(("utf-8", "latin-1", "windows-1252"))
        if "encoding" in parts
        else "utf-8",
    )


def _workspace(block: Marked) -> dict[str, str]:
    parts = block.block(("currency", "zone", "title"))
    found = {name: part.text() for name, part in parts.items()}
    if "zone" in found:
        check_zone(parts["zone"], found["zone"])
    if "currency" in found and not (len(found["currency"]) == 3 and found["currency"].isupper()):
        parts["currency"].fail(found["currency"], "Use a currency's three letters, such as GBP.")
    return found
