"""A second try for dead letters: as they were, corrected by a person, or through a corrected mapping."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smart_reach.engine.clock import Clock
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.events.contracts.validate import Refused, validate
from smart_reach.engine.events.dead_letters import open_letters
from smart_reach.engine.events.inbox import put
from smart_reach.engine.events.sources.mapping import FileMapping, parse_mapping
from smart_reach.engine.events.tables import DeadLetter
from smart_reach.engine.state.base import transaction
from smart_reach.engine.state.info import WorkspaceInfo

SENDER = "dead-letters"
_SHOWN = 100
_CUT = "Only the first 64 KB of this record were kept; send it again from its source."
_UNREAD = "This row could not be read from its file; give the whole record as a correction."


@dataclass
class Retried:
    """How a retry went. `errors`: the first 100 that are still refused, by letter."""

    retried: int = 0
    refused: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"retried": self.retried, "refused": self.refused, "errors": self.errors}


class Retrier:
    """Retries open letters. What is accepted goes through the inbox, so the listener must be running."""

    def __init__(self, db: Engine, clock: Clock, mapping: FileMapping | None = None) -> None:
        self._db = db
        self._clock = clock
        self._mapping = mapping
        self._mappings: dict[str, FileMapping] = {}

    def retry(
        self, ids: Sequence[int] | None, edits: Mapping[int, Mapping[str, Any]] | None = None
    ) -> Retried:
        """Retry these letters (None: all open ones). `edits`: corrected records by letter.

        Raises `NotFound` when a named letter is not open.
        """
        edits = edits or {}
        wanted = None if ids is None else sorted({*ids, *edits})
        report, after, seen = Retried(), 0, set[int]()
        while True:
            with transaction(self._db) as session:
                letters = open_letters(session, wanted, after)
                if not letters:
                    break
                self._some(session, letters, edits, report)
                after = letters[-1].id
                seen |= {letter.id for letter in letters}
        if wanted is not None and (missing := set(wanted) - seen):
            raise NotFound(f"The dead letter {min(missing)} is not open.", hint="List those that are.")
        return report

    def _some(
        self,
        session: Session,
        letters: Sequence[DeadLetter],
        edits: Mapping[int, Mapping[str, Any]],
        report: Retried,
    ) -> None:
        at = self._clock.now()
        lines, sound = [], []
        for letter in letters:
            letter.attempts += 1
            letter.last_tried_at = at
            try:
                lines.append(self._line(session, letter, edits.get(letter.id)))
                sound.append(letter)
            except InvalidInput as error:
                _still(letter, error.field, error.message, error.remedy, report)
        checked = validate(lines, source=SENDER, received_at=at)
        bad = {one.row: one for one in checked.refused}
        for row, letter in enumerate(sound):
            if row in bad:
                _refuse(letter, bad[row], report)
            else:
                letter.status = "retried"
        good = [line for row, line in enumerate(lines) if row not in bad]
        if good:
            put(session, good, SENDER, at)
        report.retried += len(good)

    def _line(self, session: Session, letter: DeadLetter, edit: Mapping[str, Any] | None) -> bytes:
        """The record to try, as one line of JSON that says its type."""
        if edit is not None:
            return json.dumps({**_typed(letter), **edit}, ensure_ascii=False, default=str).encode()
        if letter.size > len(letter.raw):
            raise InvalidInput("record", f"{letter.size} bytes", _CUT)
        if not letter.source.startswith("file:"):
            return letter.raw.replace(b"\n", b" ")
        try:
            row = json.loads(letter.raw)
        except ValueError as error:
            raise InvalidInput("record", letter.raw[:80].decode("utf-8", "replace"), _UNREAD) from error
        return letter.raw if "type" in row else self._mapped(session, letter, row)

    def _mapped(self, session: Session, letter: DeadLetter, row: Mapping[str, Any]) -> bytes:
        """A row of a file through its mapping again, or through the one given for this retry."""
        from smart_reach.engine.events.sources.mapper import Mapper

        mapping = self._mapping or self._stored(session, letter.mapping)
        place, _, name = letter.position.partition("#")
        digest = letter.source.removeprefix("file:")
        schema = pa.schema([(one, pa.string()) for one in row])
        mapper = Mapper(mapping, schema, "the row", digest)
        try:
            texts = {one: [None if value is None else str(value)] for one, value in row.items()}
            made = mapper.make(
                pa.table(texts, schema=pa.schema([(one, pa.string()) for one in row])), int(place)
            )
        finally:
            mapper.close()
        for template, _, table in made.tables:
            if not name or template.name == name:
                return _record(template.type, table)
        why = next((one for one in made.unmade if not name or one.template == name), None)
        if why is None:
            raise InvalidInput("record", place, "The mapping leaves this row out now; discard the letter.")
        raise InvalidInput(why.field, why.value, why.reason)

    def _stored(self, session: Session, digest: str | None) -> FileMapping:
        kept = session.get(WorkspaceInfo, mapping_key(digest)) if digest else None
        if digest is None or kept is None:
            raise InvalidInput("mapping", digest, "Give the mapping file with --mapping.")
        if digest not in self._mappings:
            self._mappings[digest] = parse_mapping(kept.value, "mapping")
        return self._mappings[digest]


def mapping_key(digest: str) -> str:
    """Where a workspace keeps a mapping that files came through."""
    return f"mapping:{digest[:12]}"


def keep_mapping(session: Session, mapping: FileMapping) -> str:
    """Keep a mapping's text for retries; returns what dead letters name it by."""
    session.merge(WorkspaceInfo(key=mapping_key(mapping.digest), value=mapping.text))
    return mapping.digest[:12]


def _typed(letter: DeadLetter) -> dict[str, Any]:
    """What the letter held, when it was a record, so that a correction may name single fields."""
    try:
        found = json.loads(letter.raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and "type" in found else {}


def _record(contract: str, table: pa.Table) -> bytes:
    values = table.slice(0, 1).to_pylist()[0]
    record = {name: _plain(value) for name, value in values.items() if value is not None}
    return json.dumps({"type": contract, **record}, ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if inner is not None}
    return value


def _refuse(letter: DeadLetter, one: Refused, report: Retried) -> None:
    letter.contract = one.contract or letter.contract
    _still(letter, one.field, one.reason, one.remedy, report, one.value)


def _still(
    letter: DeadLetter, name: str | None, reason: str, remedy: str, report: Retried, value: str | None = None
) -> None:
    letter.field, letter.value, letter.reason, letter.remedy = name, value, reason, remedy
    report.refused += 1
    if len(report.errors) < _SHOWN:
        shown = {"id": letter.id, "field": name, "value": value, "reason": reason, "remedy": remedy}
        report.errors.append(shown)
