"""The closed vocabularies that every room shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Literal, get_args

from smart_reach.engine.errors import InvalidInput

Channel = Literal["email", "push", "sms", "in_app", "social"]
CHANNELS: tuple[Channel, ...] = ("email", "push", "sms", "in_app", "social")
CHANNEL_LABELS = {"email": "E-mail", "push": "Push", "sms": "SMS", "in_app": "In-app", "social": "Social"}

# the offers of the catalog; what they are and cost stands in the knowledge corpus
OfferId = Literal[
    "rewards-card",
    "low-fee-card",
    "travel-card",
    "platinum-card",
    "personal-loan",
    "car-loan",
    "mortgage",
    "home-insurance",
    "travel-insurance",
    "life-insurance",
    "savings-account",
    "term-deposit",
]
OFFERS: tuple[OfferId, ...] = get_args(OfferId)


@dataclass(frozen=True)
class Window:
    """A time slot in the customer's own zone; `end` is exclusive."""

    id: str
    label: str
    start: time
    end: time


WINDOWS: dict[str, Window] = {
    window.id: window
    for window in (
        Window("morning", "8–11 am", time(8), time(11)),
        Window("midday", "11 am–2 pm", time(11), time(14)),
        Window("afternoon", "2–6 pm", time(14), time(18)),
        Window("evening", "6–8 pm", time(18), time(20)),
    )
}


def window_of(hour: int) -> str:
    """The window that holds a local hour; hours outside every window count to the nearest one."""
    for window in WINDOWS.values():
        if window.start.hour <= hour < window.end.hour:
            return window.id
    return "morning" if hour < 8 else "evening"


def require_channel(value: str) -> Channel:
    for channel in CHANNELS:
        if channel == value:
            return channel
    raise InvalidInput("channel", value, f"Use one of {', '.join(CHANNELS)}.")


def require_window(value: str) -> Window:
    if value not in WINDOWS:
        raise InvalidInput("window", value, f"Use one of {', '.join(WINDOWS)}.")
    return WINDOWS[value]
