"""YAML that remembers its lines, so that a mistake in a mapping file is named where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from smart_reach.engine.errors import InvalidInput

LARGEST = 256_000


@dataclass(frozen=True)
class Marked:
    """One node of the document: what it holds, where it stands, how it is reached (`records.fields`)."""

    file: str
    node: yaml.Node
    path: str
    key: yaml.Node | None = None

    @property
    def line(self) -> int:
        """Counted from 1; of a named value the line of its name."""
        return int((self.key or self.node).start_mark.line) + 1

    def fail(self, value: object, remedy: str) -> NoReturn:
        """Raise `InvalidInput` that names file, line and path."""
        raise InvalidInput(f"{self.file}, line {self.line}, {self.path or 'document'}", value, remedy)

    def scalar(self) -> str | int | float | bool | None:
        """A plain value; dates stay text."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail("a list or a block", "A single value belongs here.")
        if self.node.tag == "tag:yaml.org,2002:timestamp":
            return str(self.node.value)
        try:
            value = yaml.SafeLoader("").construct_object(self.node)
        except (yaml.YAMLError, ValueError):
            self.fail(self.node.value, "This value cannot be read; put it in quotes.")
        if value is None or isinstance(value, str | int | float | bool):
            return value
        self.fail(self.node.value, "Use text, a number or true/false here.")

    def text(self) -> str:
        """Text that is not empty. Numbers and dates count as their text."""
        value = self.scalar()
        if value is None or isinstance(value, bool) or str(value).strip() == "":
            self.fail(value, "Text belongs here.")
        return str(value)

    def whole(self, low: int, high: int) -> int:
        value = self.scalar()
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fail(value, f"Use a whole number from {low} to {high}.")
        return value

    def word(self, allowed: Sequence[str]) -> str:
        """One of a closed list of words."""
        value = self.text()
        if value not in allowed:
            self.fail(value, choices(value, allowed))
        return value

    def items(self) -> list[Marked]:
        """The elements of a list; a single value or block counts as a list of one."""
        if not isinstance(self.node, yaml.SequenceNode):
            return [self]
        return [Marked(self.file, node, f"{self.path}[{n}]") for n, node in enumerate(self.node.value)]

    def entries(self) -> Iterator[tuple[str, Marked]]:
        """Key and value of a block, in order; a key that stands there twice is refused."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail(getattr(self.node, "value", None), "A block of `name: value` lines belongs here.")
        seen = set()
        for key_node, node in self.node.value:
            key = str(key_node.value)
            inner = Marked(self.file, node, f"{self.path}.{key}" if self.path else key, key_node)
            if key in seen:
                inner.fail(key, "This name stands here twice.")
            seen.add(key)
            yield key, inner

    def block(self, known: Sequence[str], required: Sequence[str] = ()) -> dict[str, Marked]:
        """A block with known names only."""
        found = dict(self.entries())
        for key, inner in found.items():
            if key not in known:
                inner.fail(key, f"There is no such name here. {choices(key, known)}")
        for key in required:
            if key not in found:
                self.fail(None, f"`{key}` is missing here.")
        return found

    @property
    def is_block(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)


def choices(word: str, known: Sequence[str]) -> str:
    """ "Did you mean …?" when something is close, else the whole list."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else f"Use one of: {', '.join(known)}."


def check_zone(where: Marked, name: str) -> str:
    """The zone's name, when there is such a zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        where.fail(name, "Use a zone's name, such as Europe/London.")
    return name


def read_marked(text: str, file: str) -> Marked:
    """Parse one YAML document. Raises `InvalidInput` with the line; anchors and tags are refused."""
    if len(text) > LARGEST:
        raise InvalidInput(file, f"{len(text)} characters", f"A mapping may have {LARGEST} at most.")
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            _plain(event, file)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidInput(f"{file}, line {line}", error.problem, "Correct the YAML here.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidInput(file, "broken text", "This is not YAML in UTF-8.") from error
    if node is None:
        raise InvalidInput(file, "", "The mapping file is empty.")
    return Marked(file, node, "")


def _plain(event: Any, file: str) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
        line = event.start_mark.line + 1
        raise InvalidInput(f"{file}, line {line}", "an anchor or a tag", "Write the value out in full.")
