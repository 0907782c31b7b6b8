"""Takes people's ids out of texts that stay: prose, JSON, checkpoints.

An id with letters and digits (`cus_000123`) is taken out wherever it stands as a word of its own. A bare
number or a short word would hit figures of other people, so such an id is only taken out where it is a
whole text by itself: a JSON string, a column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from smart_reach.engine.catalog.erasures import token

_SHORTEST = 6


def distinctive(customer_id: str) -> bool:
    """Whether the id cannot be mistaken for a figure or a common word."""
    letters = any(one.isalpha() for one in customer_id)
    return len(customer_id) >= _SHORTEST and letters and any(one.isdigit() for one in customer_id)


class Scrubber:
    """Replaces `ids` by tokens of the same length, and `others` (text by text) as given.

    `protected`: ids of other people that contain one of these ids; they stay.
    """

    def __init__(
        self,
        ids: Sequence[str],
        *,
        others: Mapping[str, str] | None = None,
        protected: Collection[str] = (),
    ) -> None:
        self.ids = tuple(dict.fromkeys(ids))
        self._new = {one: token(one) for one in self.ids} | dict(others or {})
        kept = [re.escape(one) for one in sorted(protected, key=len, reverse=True)]
        words = set(others or ())
        names = [_pattern(one, one in words) for one in sorted(self._new, key=len, reverse=True)]
        self._regex = re.compile("|".join([*kept, *names]))

    @property
    def needles(self) -> list[str]:
        """Every spelling under which one of the texts may stand in a column."""
        spelled = (
            form
            for one in self._new
            for form in (one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1])
        )
        return list(dict.fromkeys(spelled))

    def text(self, value: str) -> str:
        return self._regex.sub(lambda found: self._new.get(found[0], found[0]), value)

    def places(self, value: str) -> list[tuple[int, int]]:
        """Where in a text the ids stand."""
        return [found.span() for found in self._regex.finditer(value) if found[0] in self._new]

    def value(self, value: Any) -> Any:
        """The same for every text in a JSON value, names of fields included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.value(name): self.value(one) for name, one in value.items()}
        return [self.value(one) for one in value] if isinstance(value, list | tuple) else value

    def blob(self, value: bytes) -> bytes:
        """The same for bytes: text, or MessagePack as LangGraph's checkpoints are."""
        if not any(needle.encode() in value for needle in self.needles):
            return value
        try:
            return self.text(value.decode()).encode()
        except UnicodeDecodeError:
            pass
        # what is neither is replaced byte by byte, as are numbers that spell the id: lengths stay
        return self._bytes(self._unpacked(value))

    def _bytes(self, value: bytes) -> bytes:
        return self.text(value.decode("latin-1")).encode("latin-1")

    def _unpacked(self, value: bytes) -> bytes:
        """MessagePack without the ids; anything else as it is."""
        try:
            return self._packed(value)
        except (ValueError, TypeError):
            return value

    def _packed(self, value: bytes) -> bytes:
        import ormsgpack

        def extension(code: int, inner: bytes) -> Any:
            return ormsgpack.Ext(code, self.blob(inner))

        options = ormsgpack.OPT_NON_STR_KEYS
        return ormsgpack.packb(
            self._walk(ormsgpack.unpackb(value, ext_hook=extension, option=options)), option=options
        )

    def _walk(self, value: Any) -> Any:
        if isinstance(value, bytes):
            return self.blob(value)
        if isinstance(value, Mapping):
            return {self._walk(name): self._walk(one) for name, one in value.items()}
        return [self._walk(one) for one in value] if isinstance(value, list) else self.value(value)


def _pattern(text: str, word: bool) -> str:
    if word or distinctive(text):
        return rf"(?<![A-Za-z0-9]){re.escape(text)}(?![A-Za-z0-9])"
    return rf'(?<![^"]){re.escape(text)}(?![^"])'
