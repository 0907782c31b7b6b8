"""What is said about a record that was refused, and the slow look at one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import pyarrow as pa

from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.events.contracts.checks import fault_of
from smart_reach.engine.events.contracts.columns import CHECKED_SCHEMA
from smart_reach.engine.events.contracts.fields import ID_LENGTH, MAX_RECORD_BYTES, Contract
from smart_reach.engine.events.contracts.moments import DAY_MICROS, Fault
from smart_reach.engine.events.contracts.records import RECORDS
from smart_reach.engine.events.contracts.registry import CONTRACTS

RAW_BYTES: Final = 64 * 1024
SHOWN: Final = 120


@dataclass(frozen=True)
class Refused:
    """A record that breaks its contract: where it stands, what is wrong, and what to do about it.

    `row`: index of the line in the batch; `position`: its place in the source. `value` is cut short;
    `raw` holds at most 64 KB of the record, `size` is its full length in bytes.
    """

    row: int
    position: str | None
    contract: str | None
    record_id: str | None
    customer_id: str | None
    field: str | None
    value: str | None
    reason: str
    remedy: str
    raw: bytes
    size: int


@dataclass(frozen=True)
class Checked:
    """Good records as events (CHECKED_SCHEMA, in the order they came) and the refused ones."""

    events: pa.Table
    refused: list[Refused]


def gathered(tables: Sequence[pa.Table], refused: list[Refused]) -> Checked:
    """Parts put together."""
    events = pa.concat_tables(tables) if tables else CHECKED_SCHEMA.empty_table()
    return Checked(events, refused)


def latest_micros(received_at: datetime) -> int:
    """µs since 1970 that no record of a batch may pass: a day after it arrived."""
    if received_at.tzinfo is None:
        raise InvalidInput("received_at", received_at.isoformat(), "Give the time with its zone.")
    return round(received_at.timestamp() * 1_000_000) + DAY_MICROS


def examine(
    line: bytes, row: int, position: str | None, default: Contract | None, latest: int
) -> Refused | tuple[Contract, msgspec.Struct]:
    """The slow look at one line: a refusal, or its contract and typed record when it is fine."""
    read = _read(line)
    if isinstance(read, Fault):
        return refusal(line, row, position, None, {}, read)
    contract = _contract(read, default)
    if isinstance(contract, Fault):
        return refusal(line, row, position, None, read, contract)
    fault = fault_of(read, contract, latest)
    if fault is not None:
        return refusal(line, row, position, contract, read, fault)
    try:
        record: msgspec.Struct = msgspec.convert({**read, "type": contract.name}, RECORDS[contract.name])
    except msgspec.ValidationError as error:
        # The two ways must agree (tests hold them to it); should they not, nothing goes in unchecked.
        return refusal(line, row, position, contract, read, Fault(None, None, str(error), "See the schema."))
    return contract, record


def refusal(
    line: bytes,
    row: int,
    position: str | None,
    contract: Contract | None,
    record: Mapping[str, Any],
    fault: Fault,
) -> Refused:
    """A refusal of a record, as far as it could be read."""
    return Refused(
        row,
        position,
        contract.name if contract else None,
        _name(record.get("event_id")),
        _name(record.get("customer_id")),
        _plain(fault.field),
        _plain(_short(fault.value)),
        fault.reason,
        fault.remedy,
        bytes(line[:RAW_BYTES]),
        len(line),
    )


def _read(line: bytes) -> dict[str, Any] | Fault:
    if len(line) > MAX_RECORD_BYTES:
        return Fault(None, None, f"The record has {len(line):,} bytes.", "Keep a record under 1 MB.")
    if not line.strip():
        return Fault(None, None, "The record is empty.", "Send one JSON object a line.")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return Fault(None, None, f"Byte {error.start + 1} is not valid UTF-8.", "Send JSON as UTF-8.")
    try:
        read = msgspec.json.decode(line)
    except RecursionError:
        return Fault(None, None, "It is nested too deeply.", "Send one flat JSON object a line.")
    except msgspec.DecodeError as error:
        return Fault(None, None, f"It is not valid JSON: {error}.", "Send one JSON object a line.")
    if not isinstance(read, dict):
        return Fault(None, read, "It is no JSON object.", 'Send {"type": …, "event_id": …, …}.')
    return read


def _contract(record: Mapping[str, Any], default: Contract | None) -> Contract | Fault:
    name = record.get("type")
    if name is None and default is not None and "type" not in record:
        return default
    if isinstance(name, str) and name in CONTRACTS:
        return CONTRACTS[name]
    reason = "The record does not say its type." if name is None else "There is no such type of record."
    return Fault("type", name, reason, f"Use one of {', '.join(CONTRACTS)}.")


def _name(value: Any) -> str | None:
    return _plain(value[:ID_LENGTH]) if isinstance(value, str) and value else None


def _short(value: Any) -> str | None:
    if value is None:
        return None
    text = value[: SHOWN + 1] if isinstance(value, str) else str(value)[: SHOWN + 1]
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _plain(text: str | None) -> str | None:
    """Text that every store can hold: without NUL, control characters made visible."""
    if text is None:
        return None
    return "".join(c if c >= " " else f"\\x{ord(c):02x}" for c in text)
