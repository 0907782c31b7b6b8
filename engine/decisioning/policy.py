"""Policies as versioned data: what a decision was bound by is stored whole and by hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from functools import cached_property
from typing import Any

from smart_reach.engine.canonical import content_hash
from smart_reach.engine.catalog.words import CHANNEL_LABELS, require_channel
from smart_reach.engine.errors import InvalidInput

# channel names as they stand inside a sentence
_KINDS = {channel: label if label.isupper() else label.lower() for channel, label in CHANNEL_LABELS.items()}


@dataclass(frozen=True)
class Cap:
    """At most `limit` contacts in any `hours` hours. 0: none allowed; None: no cap. No channel: all."""

    hours: int
    limit: int | None
    channel: str | None = None

    def __post_init__(self) -> None:
        if self.hours <= 0:
            raise InvalidInput("hours", self.hours, "Use a positive number of hours.")
        if self.channel is not None:
            require_channel(self.channel)
        if self.limit is not None and self.limit < 0:
            raise InvalidInput("limit", self.limit, "Use 0 for none allowed, or no limit for no cap.")

    @property
    def text(self) -> str:
        """`at most 2 messages in any 24 hours`, `at most 1 SMS message in any 7 days`."""
        period = f"{self.hours} hours" if self.hours <= 48 or self.hours % 24 else f"{self.hours // 24} days"
        kind = f"{_KINDS[self.channel]} " if self.channel else ""
        if self.limit is None:
            return f"no cap on {kind}messages in {period}"
        if self.limit == 0:
            return f"no {kind}messages are allowed"
        return f"at most {self.limit} {kind}message{'s' if self.limit > 1 else ''} in any {period}"


def _default_caps() -> tuple[Cap, ...]:
    return (
        Cap(24, 1),
        Cap(7 * 24, 3),
        Cap(30 * 24, 8),
        Cap(7 * 24, 1, "sms"),
        Cap(30 * 24, 2, "sms"),
        Cap(24, 1, "push"),
        Cap(7 * 24, 2, "email"),
    )


class Versioned:
    """A policy under a name that says its version, and a hash that says its content."""

    id: str
    version: int

    def as_json(self) -> dict[str, Any]:
        raise NotImplementedError

    @cached_property
    def hash(self) -> str:
        return content_hash(self.as_json())

    @property
    def name(self) -> str:
        return f"{self.id}@{self.version}"


@dataclass(frozen=True)
class ContactPolicy(Versioned):
    """Who may be contacted how often and when. Times are in the customer's own zone."""

    id: str = "contact-policy"
    version: int = 1
    quiet_start: time = time(21)
    quiet_end: time = time(8)
    caps: tuple[Cap, ...] = field(default_factory=_default_caps)
    after_conversion_days: int = 90
    after_unsubscribe_days: int = 30
    hold_minutes: int = 60

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": self.version,
            "quiet_start": self.quiet_start.isoformat(),
            "quiet_end": self.quiet_end.isoformat(),
            "caps": [{"hours": cap.hours, "limit": cap.limit, "channel": cap.channel} for cap in self.caps],
            "after_conversion_days": self.after_conversion_days,
            "after_unsubscribe_days": self.after_unsubscribe_days,
            "hold_minutes": self.hold_minutes,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ContactPolicy:
        return cls(
            **{
                **value,
                "quiet_start": time.fromisoformat(value["quiet_start"]),
                "quiet_end": time.fromisoformat(value["quiet_end"]),
                "caps": tuple(Cap(**cap) for cap in value["caps"]),
            }
        )

    @property
    def text(self) -> str:
        """The policy in plain words."""
        caps = "; ".join(cap.text for cap in self.caps if cap.limit is not None) or "no caps"
        return (
            f"Contact policy, version {self.version}: {caps}. Quiet hours from {self.quiet_start:%H:%M} to "
            f"{self.quiet_end:%H:%M} in the customer's own time. An offer rests for "
            f"{self.after_conversion_days} days after a customer accepts it, and every offer for "
            f"{self.after_unsubscribe_days} days after an unsubscribe."
        )

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The numbers of the text, each with where it comes from."""
        numbers = {f"cap.{n}": cap.limit for n, cap in enumerate(self.caps) if cap.limit is not None}
        hours = {f"cap.{n}.hours": cap.hours for n, cap in enumerate(self.caps) if cap.limit is not None}
        days = {
            "after_conversion_days": self.after_conversion_days,
            "after_unsubscribe_days": self.after_unsubscribe_days,
            "version": self.version,
        }
        return [
            {"id": name, "value": value, "display": str(value), "source": self.name}
            for name, value in {**numbers, **hours, **days}.items()
        ]

    @property
    def longest_hours(self) -> int:
        """How far back contacts matter; 30 days at least, because fatigue counts them."""
        return max([30 * 24, *(cap.hours for cap in self.caps)])


@dataclass(frozen=True)
class DecisionPolicy(Versioned):
    """How actions are valued: value = propensity × margin − channel cost − fatigue × messages in 30 days.

    Money in minor units of the offer's currency. `seed` is recorded; arbitration draws nothing.
    """

    id: str = "decision-policy"
    version: int = 1
    channel_cost_minor: Mapping[str, float] = field(
        default_factory=lambda: {"email": 2.0, "push": 1.0, "sms": 7.0, "in_app": 0.5, "social": 12.0}
    )
    fatigue_minor: float = 15.0
    seed: int = 7

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": self.version,
            "channel_cost_minor": dict(self.channel_cost_minor),
            "fatigue_minor": self.fatigue_minor,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DecisionPolicy:
        return cls(**value)
