"""Columns of the lake's tables: the Arrow schema is the one definition, Iceberg's is derived from it."""

from __future__ import annotations

import pyarrow as pa

from smart_reach.engine.errors import InvalidInput

NAMESPACE = "bank"
EVENTS = "events"
CUSTOMERS = "customers"
FEATURES = "features"
TABLES = (EVENTS, CUSTOMERS, FEATURES)

UTC_MICROS = pa.timestamp("us", tz="UTC")

EVENT_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("occurred_at", UTC_MICROS, nullable=False),
        pa.field("received_at", UTC_MICROS, nullable=False),
        pa.field("offer_id", pa.string()),
        pa.field("campaign_id", pa.string()),
        pa.field("channel", pa.string()),
        pa.field("variant_id", pa.string()),
        pa.field("message_id", pa.string()),
        pa.field("decision_id", pa.string()),
        pa.field("amount_minor", pa.int64()),
        pa.field("currency", pa.string()),
        pa.field("machine", pa.bool_(), nullable=False),
        pa.field("machine_signals", pa.string()),
        pa.field("local_hour", pa.int32()),
        pa.field("local_weekday", pa.int32()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("user_agent", pa.string()),
        pa.field("network", pa.string()),  # the address without its last part: 203.0.113.0/24
        pa.field("device", pa.string()),
        pa.field("page", pa.string()),
        pa.field("attributes", pa.string()),  # JSON of what the contract declares beyond these columns
    ]
)

PROPERTIES = {
    # Dispatcher, live bank and web process append to one table; each commit is small and quick to repeat.
    "commit.retry.num-retries": "30",
    "commit.retry.min-wait-ms": "20",
    "commit.retry.max-wait-ms": "500",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "5",
    "write.parquet.compression-codec": "zstd",
}


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without types that Iceberg does not have: dictionaries, large strings, small integers."""
    fields = []
    for field in schema:
        kind = field.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_large_string(kind):
            kind = pa.string()
        if pa.types.is_integer(kind) and kind.bit_width < 32:
            kind = pa.int32()
        if pa.types.is_timestamp(kind):
            kind = UTC_MICROS
        fields.append(pa.field(field.name, kind))
    return pa.schema(fields)


def as_events(rows: pa.Table) -> pa.Table:
    """The fixed columns in their fixed order; missing optional columns become null."""
    unknown = sorted(set(rows.schema.names) - set(EVENT_SCHEMA.names))
    if unknown:
        raise InvalidInput("column", unknown[0], "Events have fixed columns; see lakehouse/schemas.py.")
    columns = []
    for field in EVENT_SCHEMA:
        if field.name in rows.schema.names:
            columns.append(rows.column(field.name).cast(field.type))
        elif field.nullable:
            columns.append(pa.nulls(rows.num_rows, field.type))
        else:
            raise InvalidInput(field.name, None, "Every event needs this column.")
    return pa.Table.from_arrays(columns, schema=EVENT_SCHEMA)


def blank_events_sql() -> str:
    """An empty relation with every column of events: files from before a column was added all lack it."""
    names = {pa.string(): "VARCHAR", pa.int64(): "BIGINT", pa.int32(): "INTEGER", pa.bool_(): "BOOLEAN"}
    columns = (f"NULL::{names.get(field.type, 'TIMESTAMPTZ')} AS {field.name}" for field in EVENT_SCHEMA)
    return f"SELECT {', '.join(columns)} WHERE false"
