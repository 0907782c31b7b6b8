"""The machine filter: was it a person who opened or clicked, or a program on the way to the person?"""

from smart_reach.engine.events.machine.filter import (
    ENGAGEMENT,
    FAST_SECONDS,
    MACHINE_SIGNALS,
    PERSON_SIGNALS,
    Earlier,
    deliveries,
    judge,
    openings,
)

__all__ = [
    "ENGAGEMENT",
    "FAST_SECONDS",
    "MACHINE_SIGNALS",
    "PERSON_SIGNALS",
    "Earlier",
    "deliveries",
    "judge",
    "openings",
]
