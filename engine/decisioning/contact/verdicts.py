"""Yes or no to a question about the contact policy: how often, and at what hour. No model is asked."""

from __future__ import annotations

import re
from datetime import time

from smart_reach.engine.decisioning.policy import ContactPolicy

_COUNTS = {"once": 1, "twice": 2, "thrice": 3, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_OFTEN = re.compile(
    r"\b(?P<count>once|twice|thrice|(?:one|two|three|four|five|\d{1,2})(?=\s+(?:times|messages?|e-?mails?|texts?"
    r"|sms|push\w*)))\b.*?\b(?:a|per|in one|in a|in any|each|every|the same)\s+(?P<period>day|week|month)\b",
    re.IGNORECASE,
)
_HOUR = re.compile(
    r"\b(?:at|after|before|around)\s+(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>am|pm)?\b",
    re.IGNORECASE,
)
_HOURS = {"day": 24, "week": 7 * 24, "month": 30 * 24}


def answer(policy: ContactPolicy, question: str, channel: str | None) -> str | None:
    """`Yes: …` or `No: …` with the rule behind it; None when the question is about something else."""
    return _how_often(policy, question, channel) or _what_hour(policy, question)


def _how_often(policy: ContactPolicy, question: str, channel: str | None) -> str | None:
    match = _OFTEN.search(question)
    if match is None:
        return None
    word, hours = match["count"].lower(), _HOURS[match["period"].lower()]
    count = _COUNTS.get(word) or int(word)
    mine = [cap for cap in policy.caps if cap.channel in (None, channel)]
    caps = [(cap, cap.limit) for cap in mine if cap.limit is not None]
    for cap, limit in caps:
        # a shorter window counts as often as it fits into the period that was asked about
        if count > limit * max(1, hours // cap.hours):
            return f"No: {cap.text} ({policy.name})."
    rule = next((cap.text for cap, _ in caps if cap.hours == hours), "no cap speaks against it")
    return f"Yes: {rule} ({policy.name})."


def _what_hour(policy: ContactPolicy, question: str) -> str | None:
    match = _HOUR.search(question)
    if match is None:
        return None
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    if hour > (12 if half else 23):
        return None
    at = time(hour % 12 + (12 if half == "pm" else 0) if half else hour, int(match["minute"] or 0))
    quiet = f"between {policy.quiet_start:%H:%M} and {policy.quiet_end:%H:%M} in the customer's own time"
    start, end = policy.quiet_start, policy.quiet_end
    silent = start <= at < end if start < end else at >= start or at < end
    if silent:
        return f"No: nothing goes out {quiet} ({policy.name})."
    return f"Yes: {at:%H:%M} lies outside the quiet hours, {quiet} ({policy.name})."
