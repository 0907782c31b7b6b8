"""Loads prompts from versioned files. A missing file or variable raises; nothing is ever filled in.

A prompt is `<name>.v<version>.md`: front matter between two `---` lines (name, version, variables), then
the text, in which `{{variable}}` stands for a value. Single braces are plain text, because term
references look like `{term:rewards-card.apr}`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from smart_reach.engine.errors import Integrity, InvalidInput, NotFound

_FOLDER = Path(__file__).parent
_FILE = re.compile(r"(?P<name>[a-z][a-z0-9_]*)\.v(?P<version>[1-9]\d*)\.md")
_SLOT = re.compile(r"\{\{\s*([a-z_][a-z0-9_]*)\s*\}\}")


@dataclass(frozen=True)
class Prompt:
    """One version of a prompt. `hash` is the SHA-256 of the whole file, front matter included."""

    name: str
    version: int
    hash: str
    variables: tuple[str, ...]
    text: str

    def render(self, **values: object) -> str:
        """The text with its variables filled in. Raises `InvalidInput` unless exactly those are given."""
        missing = sorted(set(self.variables) - set(values))
        unknown = sorted(set(values) - set(self.variables))
        if missing or unknown:
            wanted = ", ".join(self.variables) or "none"
            raise InvalidInput(
                f"variables of the prompt {self.name}", missing or unknown, f"It takes exactly: {wanted}."
            )
        # One pass: a value that contains {{…}} is data and stays as it is.
        return _SLOT.sub(lambda slot: str(values[slot.group(1)]), self.text)


def load_prompt(name: str, version: int | None = None, *, folder: Path = _FOLDER) -> Prompt:
    """The newest version of a prompt, or the one asked for. Raises `NotFound` with what there is."""
    found = _versions(folder).get(name, {})
    if not found:
        raise NotFound(f"There is no prompt {name!r}.", hint=f"There are: {', '.join(prompt_names(folder))}.")
    chosen = max(found) if version is None else version
    if chosen not in found:
        raise NotFound(f"There is no version {chosen} of {name!r}.", hint=f"There are: {sorted(found)}.")
    return _read(found[chosen], name, chosen)


def prompt_names(folder: Path = _FOLDER) -> tuple[str, ...]:
    """Every prompt there is, sorted."""
    return tuple(sorted(_versions(folder)))


def _versions(folder: Path) -> dict[str, dict[int, Path]]:
    found: dict[str, dict[int, Path]] = {}
    for path in folder.glob("*.md"):
        if match := _FILE.fullmatch(path.name):
            found.setdefault(match["name"], {})[int(match["version"])] = path
    return found


def _read(path: Path, name: str, version: int) -> Prompt:
    raw = path.read_text(encoding="utf-8")
    parts = re.split(r"^---[ \t]*$\n?", raw, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise Integrity(
            f"{path.name} has no front matter.", hint="Start it with --- name, version, variables."
        )
    head: dict[str, Any] = yaml.safe_load(parts[1]) or {}
    text = parts[2].strip() + "\n"
    declared = tuple(head.get("variables") or ())
    used = set(_SLOT.findall(text))
    if head.get("name") != name or head.get("version") != version:
        raise Integrity(f"{path.name} says it is {head.get('name')} version {head.get('version')}.")
    if set(declared) != used:
        raise Integrity(f"{path.name} declares {sorted(declared)} but uses {sorted(used)}.")
    return Prompt(name, version, hashlib.sha256(raw.encode()).hexdigest(), declared, text)
