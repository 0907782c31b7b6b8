"""What an event must look like. The same rules for one event and for a column of a million."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from smart_reach.engine.catalog.words import CHANNELS
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.lakehouse.schemas import EVENT_SCHEMA

# What happens to one message, as the campaign_event contract names it.
CAMPAIGN_KINDS = (
    "sent",
    "delivered",
    "open",
    "click",
    "conversion",
    "unsubscribe",
    "bounce",
    "complaint",
    "held_out",
)
KINDS = (
    *CAMPAIGN_KINDS,
    "web_visit",
    "transaction",
    "contact",
    # records of CRM and CDP, kept in the log as they came
    "customer",
    "consent",
    "holding",
    "outcome",
)
# Kinds that are useless without the id of their message; who buys may have had none.
MESSAGE_KINDS = tuple(kind for kind in CAMPAIGN_KINDS if kind != "conversion")


@dataclass(frozen=True)
class Event:
    """One thing that happened. Times are aware UTC; `local_*` are in the customer's own zone."""

    event_id: str
    customer_id: str
    kind: str
    occurred_at: datetime
    received_at: datetime
    source: str
    offer_id: str | None = None
    campaign_id: str | None = None
    channel: str | None = None
    variant_id: str | None = None
    message_id: str | None = None
    decision_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    machine: bool = False
    machine_signals: str | None = None
    local_hour: int | None = None
    local_weekday: int | None = None
    user_agent: str | None = None
    network: str | None = None
    device: str | None = None
    page: str | None = None
    attributes: str | None = None


def events_table(rows: Sequence[Event]) -> pa.Table:
    """Events as columns. Raises `InvalidInput` with the field that has the wrong type."""
    records = [asdict(row) for row in rows]
    arrays = []
    for field in EVENT_SCHEMA:
        values = [record[field.name] for record in records]
        for value in values:
            if isinstance(value, datetime) and value.tzinfo is None:
                raise InvalidInput(field.name, value.isoformat(), "Give the time with its zone, in UTC.")
        try:
            arrays.append(pa.array(values, field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            wrong = next(value for value in values if not _fits(value, field.type))
            raise InvalidInput(field.name, wrong, f"This column is {field.type}.") from error
    return pa.table(dict(zip(EVENT_SCHEMA.names, arrays, strict=True)))


def check_events(rows: pa.Table) -> None:
    """Raise `InvalidInput` for the first row that breaks a rule, naming row, field and value."""
    for field in EVENT_SCHEMA:
        if field.nullable:
            continue
        if field.name not in rows.schema.names:
            raise InvalidInput(field.name, None, "Every event needs this column.")
        _refuse(rows, field.name, pc.is_null(rows.column(field.name)), "Every event needs a value here.")
    empty = pc.or_(pc.equal(rows["event_id"], ""), pc.equal(rows["customer_id"], ""))
    _refuse(rows, "event_id", empty, "Event and customer need an id that is not empty.")
    _refuse(rows, "kind", _outside(rows, "kind", KINDS), f"Use one of {', '.join(KINDS)}.")
    if "channel" in rows.schema.names:
        unknown = pc.and_(pc.is_valid(rows["channel"]), _outside(rows, "channel", CHANNELS))
        _refuse(rows, "channel", unknown, f"Use one of {', '.join(CHANNELS)}, or leave it empty.")
    if "message_id" in rows.schema.names:
        about_message = pc.is_in(rows["kind"], pa.array(MESSAGE_KINDS))
        lost = pc.and_(about_message, pc.is_null(rows["message_id"]))
        _refuse(rows, "message_id", lost, "This kind of event needs the id of its message.")
    for name, last in (("local_hour", 23), ("local_weekday", 6)):
        if name in rows.schema.names:
            out = pc.or_(pc.less(rows[name], 0), pc.greater(rows[name], last))
            _refuse(rows, name, out, f"Use a whole number from 0 to {last}.")
    if "amount_minor" in rows.schema.names:
        bare = pc.and_(pc.is_valid(rows["amount_minor"]), pc.is_null(rows["currency"]))
        _refuse(rows, "currency", bare, "An amount needs its currency.")


def _outside(rows: pa.Table, name: str, allowed: Sequence[str]) -> pa.ChunkedArray:
    return pc.invert(pc.is_in(rows[name], pa.array(list(allowed))))


def _refuse(rows: pa.Table, name: str, broken: pa.ChunkedArray, remedy: str) -> None:
    broken = pc.fill_null(broken, False)
    if not pc.any(broken).as_py():
        return
    row = pc.index(broken, True).as_py()
    raise InvalidInput(f"event {row + 1}, {name}", rows[name][row].as_py(), remedy)


def _fits(value: object, kind: pa.DataType) -> bool:
    try:
        pa.array([value], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return False
    return True
