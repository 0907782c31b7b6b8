"""The files of a workspace: which of them still name a person, and texts rewritten without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from smart_reach.engine.privacy.scrub import Scrubber

_TEXTS = {".csv", ".json", ".jsonl", ".log", ".md", ".ndjson", ".txt", ".yaml", ".yml"}
_BLOCK = 1 << 20


def naming(root: Path, scrubber: Scrubber) -> Iterator[Path]:
    """Files whose bytes hold one of the ids. What is compressed inside cannot be seen from outside."""
    needles = [needle.encode() for needle in scrubber.needles]
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink() and _names(path, needles, scrubber):
                yield path


def _names(path: Path, needles: list[bytes], scrubber: Scrubber) -> bool:
    longest, tail = max(map(len, needles)) + 1, b""
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                window = tail + block
                if any(needle in window for needle in needles) and _truly(window, scrubber):
                    return True
                tail = window[-longest:]
    except FileNotFoundError:  # a file that went away meanwhile names nobody
        return False
    return False


def _truly(window: bytes, scrubber: Scrubber) -> bool:
    """Whether an id stands there by itself: `cus_1` is not in `cus_10`."""
    shown = window.decode("latin-1")
    return scrubber.text(shown) != shown


def scrub_files(root: Path, scrubber: Scrubber) -> tuple[dict[str, str], list[str]]:
    """Rewrite texts without the people, whole or not at all; (what was done, files that still name them)."""
    done, left = {}, []
    for path in list(naming(root, scrubber)):
        shown = path.relative_to(root).as_posix()
        if path.suffix not in _TEXTS:
            left.append(scrubber.text(shown))
            continue
        copy = path.with_name(f"{path.name}.erasing")
        copy.write_bytes(scrubber.blob(path.read_bytes()))
        os.replace(copy, path)
        done[scrubber.text(shown)] = "rewritten"
    return done, left
