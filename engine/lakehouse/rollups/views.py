"""The views that a reader gets: `messages` and `event_span`, over the rollup and the events since it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smart_reach.engine.lakehouse.rollups.kept import Kept, load
from smart_reach.engine.lakehouse.rollups.messages import COLUMNS, MESSAGES_SQL, from_events, merged

# A comment on the view tells that reading it is cheap: nobody needs to make a table of it first.
ROLLED = "rolled up"
_SPAN = "min(occurred_at) AS oldest, max(occurred_at) AS newest, max(received_at) AS received"


def statements(root: Path, files: Sequence[str], read: str) -> list[str]:
    """What makes the views; `read` is a table function's options after the list of files."""
    kept = load(root)
    if kept is None or not kept.fits(files):
        return [MESSAGES_SQL, f"CREATE VIEW event_span AS SELECT {_SPAN} FROM events"]
    since = [path for path in files if path not in kept.covers]
    events = f"read_parquet([{', '.join(map(text, since))}]{read})" if since else None
    views = [
        f"CREATE VIEW message_kept AS {kept_rows(kept)}",
        f"CREATE VIEW messages AS {_merge(events)}",
        f"COMMENT ON VIEW messages IS '{ROLLED}'",
        f"CREATE VIEW event_span AS {_span(kept, events)}",
    ]
    # an event that is not rolled up yet could take a message from its customer: then nobody reads them
    return views if events else [*views, f"CREATE VIEW first_messages AS {_firsts(kept)}"]


def kept_rows(kept: Kept, extra: bool = False) -> str:
    """SELECT of the messages that are kept; `extra` adds the row number of `base` that each stands for."""
    base = f"read_parquet({text(str(kept.folder / kept.base))}, file_row_number = true)"
    number = ", b.file_row_number AS replaces" if extra else ""
    if kept.overlay is None:
        return f"SELECT {COLUMNS}{number} FROM {base} b"
    overlay = f"read_parquet({text(str(kept.folder / kept.overlay))})"
    return (
        f"SELECT {COLUMNS}{number} FROM {base} b ANTI JOIN {overlay} o ON b.file_row_number = o.replaces"
        f" UNION ALL SELECT {COLUMNS}{', replaces' if extra else ''} FROM {overlay}"
    )


def _merge(events: str | None) -> str:
    if events is None:
        return f"SELECT {COLUMNS} FROM message_kept"
    touched = "SELECT * FROM message_kept SEMI JOIN since USING (message_id)"
    both = f"({touched} UNION ALL SELECT * FROM since) AS parts"
    return (
        f"WITH since AS MATERIALIZED ({from_events(events)})"
        f" SELECT {COLUMNS} FROM message_kept ANTI JOIN since USING (message_id)"
        f" UNION ALL {merged(both)}"
    )


def first_messages(rows: str) -> str:
    """SELECT of each customer's first message that was sent, the holdout left out."""
    return (
        f"SELECT customer_id, min(sent_at) AS first_at FROM {rows} WHERE sent AND NOT held_out"
        " GROUP BY customer_id"
    )


def _firsts(kept: Kept) -> str:
    base = f"SELECT customer_id, first_at FROM read_parquet({text(str(kept.folder / kept.firsts))})"
    if kept.overlay is None:
        return base
    overlay = first_messages(f"read_parquet({text(str(kept.folder / kept.overlay))})")
    both = f"({base} UNION ALL {overlay})"
    return f"SELECT customer_id, min(first_at) AS first_at FROM {both} GROUP BY customer_id"


def _span(kept: Kept, events: str | None) -> str:
    known = ", ".join(
        f"make_timestamptz({'NULL' if at is None else at}::BIGINT) AS {name}"
        for name, at in (
            ("oldest", kept.span.oldest),
            ("newest", kept.span.newest),
            ("received", kept.span.received),
        )
    )
    if events is None:
        return f"SELECT {known}"
    return (
        "SELECT min(oldest) AS oldest, max(newest) AS newest, max(received) AS received"
        f" FROM (SELECT {known} UNION ALL SELECT {_SPAN} FROM {events}) AS parts"
    )


def read_events(files: Sequence[str], options: str = "") -> str:
    """Events of these files, whichever columns each has."""
    return f"read_parquet([{', '.join(map(text, files))}], union_by_name = true{options})"


def text(value: str) -> str:
    """A SQL string literal; views cannot take bound parameters."""
    return "'" + value.replace("'", "''") + "'"
