"""Queries that put features, as they were known, beside what came of a message."""

from __future__ import annotations

RESPONSE_DAYS = 2

_WINDOW = """CASE WHEN {hour} < 11 THEN 'morning' WHEN {hour} < 14 THEN 'midday'
         WHEN {hour} < 18 THEN 'afternoon' ELSE 'evening' END"""

# ASOF: the newest feature row strictly before the message was sent.
MESSAGES_SQL = (
    """
SELECT m.customer_id, m.sent_at AS "at", m.offer_id, m.channel, """
    + _WINDOW.format(hour="m.local_hour")
    + """ AS "window", {features},
    m.converted::INTEGER AS outcome, m.opened::INTEGER AS opened, m.clicked::INTEGER AS clicked
FROM messages m
ASOF JOIN features f ON m.customer_id = f.customer_id AND m.sent_at > f.as_of
WHERE m.sent AND m.offer_id = $offer AND m.sent_at <= $closed
ORDER BY m.sent_at, m.message_id
"""
)

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
