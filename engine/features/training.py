"""What was known before each message, beside what came of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from smart_reach.engine.features.compute import at_moments
from smart_reach.engine.features.definitions import FeatureSet

if TYPE_CHECKING:
    from smart_reach.engine.workspace import Workspace

RESPONSE_DAYS = 2
Join = Callable[[pd.DataFrame], pd.DataFrame]

_WINDOW = """CASE WHEN {hour} < 11 THEN 'morning' WHEN {hour} < 14 THEN 'midday'
         WHEN {hour} < 18 THEN 'afternoon' ELSE 'evening' END"""

_OUTCOMES = "m.converted::INTEGER AS outcome, m.opened::INTEGER AS opened, m.clicked::INTEGER AS clicked"
_SENT = "WHERE m.sent AND m.offer_id = $offer AND m.sent_at <= $closed ORDER BY m.sent_at, m.message_id"
_MESSAGE = 'm.customer_id, m.sent_at AS "at", m.offer_id, m.channel, ' + _WINDOW.format(hour="m.local_hour")

# ASOF: the newest feature row strictly before the message was sent.
MESSAGES_SQL = f"""
SELECT {_MESSAGE} AS "window", {{features}}, {_OUTCOMES}
FROM messages m ASOF JOIN features f ON m.customer_id = f.customer_id AND m.sent_at > f.as_of {_SENT}
"""

SPINE_SQL = f'SELECT {_MESSAGE} AS "window", {_OUTCOMES} FROM messages m {_SENT}'

# One feature row a contact, taken down when the call began; the outcome is known at its end.
CONTACTS_SQL = (
    """
SELECT e.customer_id, e.occurred_at AS "at", e.offer_id, 'sms' AS channel, """
    + _WINDOW.format(hour="e.local_hour")
    + """ AS "window", {features},
    (c.customer_id IS NOT NULL)::INTEGER AS outcome, 0 AS opened, 0 AS clicked
FROM events e
JOIN features f ON e.customer_id = f.customer_id AND f.as_of <= e.occurred_at
LEFT JOIN (SELECT DISTINCT customer_id FROM events WHERE kind = 'conversion') c
    ON e.customer_id = c.customer_id
WHERE e.kind = 'contact' AND e.offer_id = $offer AND e.occurred_at <= $closed
ORDER BY e.occurred_at, e.customer_id
"""
)


def from_snapshots(
    workspace: Workspace, features: FeatureSet, sql: str, offer_id: str, closed: datetime
) -> pd.DataFrame:
    """Messages beside the newest snapshot before each."""
    names = ", ".join(f'f."{one.name}"' for one in features.definitions)
    with workspace.lake.connect() as connection:
        frame: pd.DataFrame = connection.execute(
            sql.format(features=names), {"offer": offer_id, "closed": closed}
        ).df()
    return frame


def from_spine(
    workspace: Workspace, features: FeatureSet, offer_id: str, closed: datetime, join: Join | None = None
) -> pd.DataFrame:
    """Messages beside features as of the very moment of sending; `join` fetches them elsewhere (Feast)."""
    with workspace.lake.connect() as connection:
        spine: pd.DataFrame = connection.execute(SPINE_SQL, {"offer": offer_id, "closed": closed}).df()
    if join is not None:
        found = join(spine[["customer_id", "at"]].rename(columns={"at": "as_of"}))
    else:
        wanted = pa.table({"customer_id": spine["customer_id"], "as_of": spine["at"]})
        found = at_moments(workspace, features, wanted).to_pandas()
    found["as_of"] = found["as_of"].astype(spine["at"].dtype)
    frame = spine.merge(found, left_on=["customer_id", "at"], right_on=["customer_id", "as_of"], how="inner")
    names = [one.name for one in features.definitions]
    return frame[
        ["customer_id", "at", "offer_id", "channel", "window", *names, "outcome", "opened", "clicked"]
    ]
