"""Which channel a customer uses and when they are active, as features that several sets share."""

from __future__ import annotations

from dataclasses import replace

from smart_reach.engine.features.definitions import FeatureDefinition, category, helper, local

# in the order in which a tie is broken
_CHANNELS = ("email", "push", "in_app", "sms", "social")
_WINDOWS = (("evening", 18, 19), ("morning", 8, 10), ("afternoon", 14, 17), ("midday", 11, 13))
_ACTIVE = "kind IN ('web_visit', 'click')"


def channel_use(days: int = 90) -> tuple[FeatureDefinition, ...]:
    """Clicks a message by channel, drawn towards the channel that the customer chose (`primary_channel`)."""
    clicks = (helper(f"clicks_{one}", "count", _of("click", one), days=days) for one in _CHANNELS)
    sent = (helper(f"sent_{one}", "count", _of("sent", one), days=days) for one in _CHANNELS)
    use = (
        helper(
            f"use_{one}",
            "formula",
            value=f"(clicks_{one} + 0.4 * coalesce(primary_channel = '{one}', false)::INTEGER)"
            f" / (sent_{one} + 2)",
        )
        for one in _CHANNELS
    )
    most = helper("most_used", "formula", value=f"greatest({', '.join(f'use_{one}' for one in _CHANNELS)})")
    return (*clicks, *sent, *use, most)


def most_used_channel(*, otherwise_none: bool = False) -> FeatureDefinition:
    """The channel of the most clicks a message; with `otherwise_none` none while no channel is used."""
    unused = "WHEN most_used = 0 THEN NULL " if otherwise_none else ""
    cases = " ".join(f"WHEN use_{one} = most_used THEN '{one}'" for one in _CHANNELS)
    text = "Channel of most clicks a message over 90 days."
    value = f"CASE {unused}{cases} END"
    return category("preferred_channel", "most used channel", text, value=value)


def window_use(days: int = 90) -> tuple[FeatureDefinition, ...]:
    """Visits and clicks an hour in each window of the day, in the customer's own zone."""
    counts = [
        helper(f"seen_{name}", "count", f"{_ACTIVE} AND local_hour BETWEEN {first} AND {last}", days=days)
        for name, first, last in _WINDOWS
    ]
    rates = [
        helper(f"at_{name}", "formula", value=f"seen_{name} / {last - first + 1}.0")
        for name, first, last in _WINDOWS
    ]
    highest = ", ".join(f"at_{name}" for name, _, _ in _WINDOWS)
    return (*local(counts), *local(rates), helper("most_active", "formula", value=f"greatest({highest})"))


def most_active_window(otherwise: str = "'evening'") -> FeatureDefinition:
    """The window of the most visits and clicks an hour; `otherwise` (SQL) when there were none."""
    cases = " ".join(f"WHEN at_{name} = most_active THEN '{name}'" for name, _, _ in _WINDOWS)
    value = f"CASE WHEN most_active = 0 THEN {otherwise} {cases} END"
    text = "Window of most visits and clicks an hour over 90 days."
    return local([category("preferred_window", "most active time of day", text, value=value)])[0]


def per_channel(kind: str, prefix: str, label: str, days: int = 90) -> tuple[FeatureDefinition, ...]:
    """Counts of one kind of event by channel, as features of their own."""
    return tuple(
        replace(
            helper(f"{prefix}_{one}_{days}d", "count", _of(kind, one), days=days),
            label=f"{label} by {one.replace('_', '-')} over {days} days",
            description=f"Events of kind {kind} on {one}; machine events excluded.",
            column="INTEGER",
        )
        for one in _CHANNELS
    )


def _of(kind: str, channel: str) -> str:
    return f"kind = '{kind}' AND channel = '{channel}'"
