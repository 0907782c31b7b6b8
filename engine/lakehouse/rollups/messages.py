"""One row a message: its SQL over events, and the merge of two such rows into one.

Every column is a minimum, a maximum or a sum, so a row made of some events of a message merges with a row
made of its others: that is what lets rollups grow by what is new. Machine events never count as
engagement; they stay visible in the *_raw columns.
"""

from __future__ import annotations

# column: (aggregate over events, aggregate over rows of messages)
_COLUMNS = {
    "customer_id": ("min(customer_id)", "min"),
    "campaign_id": ("min(campaign_id)", "min"),
    "offer_id": ("min(offer_id)", "min"),
    "channel": ("min(channel)", "min"),
    "variant_id": ("min(variant_id)", "min"),
    "sent_at": ("min(occurred_at) FILTER (kind IN ('sent', 'held_out'))", "min"),
    "held_out": ("bool_or(kind = 'held_out')", "bool_or"),
    "sent": ("bool_or(kind = 'sent')", "bool_or"),
    "delivered": ("bool_or(kind = 'delivered')", "bool_or"),
    "opened": ("bool_or(kind = 'open' AND NOT machine)", "bool_or"),
    "clicked": ("bool_or(kind = 'click' AND NOT machine)", "bool_or"),
    "opened_raw": ("bool_or(kind = 'open')", "bool_or"),
    "clicked_raw": ("bool_or(kind = 'click')", "bool_or"),
    "converted": ("bool_or(kind = 'conversion')", "bool_or"),
    "converted_at": ("min(occurred_at) FILTER (kind = 'conversion')", "min"),
    "revenue_minor": (
        "coalesce(sum(amount_minor) FILTER (kind = 'conversion'), 0)::BIGINT",
        "sum({})::BIGINT",
    ),
    "unsubscribed": ("bool_or(kind = 'unsubscribe')", "bool_or"),
    "complained": ("bool_or(kind = 'complaint')", "bool_or"),
    "bounced": ("bool_or(kind = 'bounce')", "bool_or"),
    "local_hour": ("min(local_hour) FILTER (kind IN ('sent', 'held_out'))", "min"),
    "local_weekday": ("min(local_weekday) FILTER (kind IN ('sent', 'held_out'))", "min"),
}
COLUMNS = ", ".join(["message_id", *_COLUMNS])
# what of an event decides about the rows: files with the same of it give the same rows
DECISIVE = (
    "event_id, message_id, customer_id, campaign_id, offer_id, channel, variant_id, kind, machine, "
    "occurred_at, received_at, amount_minor, local_hour, local_weekday"
)


def from_events(events: str) -> str:
    """SELECT of one row a message of a relation of events."""
    columns = ",\n       ".join(f"{sql} AS {name}" for name, (sql, _) in _COLUMNS.items())
    return (
        f"SELECT message_id,\n       {columns}\n"
        f"FROM {events}\nWHERE message_id IS NOT NULL\nGROUP BY message_id"
    )


def merged(rows: str, extra: str = "") -> str:
    """SELECT that makes one row of all rows of the same message; `extra` adds columns."""
    columns = ", ".join(
        f"{merge.format(name) if '{}' in merge else f'{merge}({name})'} AS {name}"
        for name, (_, merge) in _COLUMNS.items()
    )
    return f"SELECT message_id, {columns}{extra} FROM {rows} GROUP BY message_id"


MESSAGES_SQL = f"CREATE VIEW messages AS\n{from_events('events')}\n"
