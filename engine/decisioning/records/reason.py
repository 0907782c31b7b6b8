"""One sentence that a marketer reads; its numbers come from the decision through slots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smart_reach.engine.catalog.words import WINDOWS

_CHANNEL_WORDS = {"email": "e-mail", "push": "push", "sms": "SMS", "in_app": "the app", "social": "social"}
# the first variation whose condition holds is suggested to the content room
_VARIATIONS: tuple[tuple[str, str, str, Any], ...] = (
    ("low-fee", "income_band", "=", "low"),
    ("low-fee", "segment", "=", "students"),
    ("premium", "segment", "=", "affluent"),
    ("long-term", "segment", "=", "retirees"),
    ("family", "segment", "=", "families"),
    ("mobile-first", "preferred_channel", "=", "push"),
)


def percent(value: float) -> str:
    """72 %, 3.4 %, 0.3 %, under 0.1 %: whole numbers from 10 % on, one decimal below."""
    if value >= 0.995:
        return "over 99%"
    if value >= 0.0995:
        return f"{value:.0%}"
    return "under 0.1%" if value < 0.0005 else f"{value:.1%}"


def with_article(name: str) -> str:
    """`a rewards card`, `an ISA account`: inside a sentence offer names are small, abbreviations are not."""
    plain = " ".join(word if word[1:2].isupper() else word.lower() for word in name.split())
    return f"{'an' if plain[:1].lower() in 'aeiou' else 'a'} {plain}"


def variation(features: Mapping[str, Any]) -> str | None:
    """The variation that fits this customer's features, if any."""
    for name, field, _, wanted in _VARIATIONS:
        if features.get(field) == wanted:
            return name
    return None


def customer_reason(
    offer_name: str, channel: str, window: str, propensity: float, features: Mapping[str, Any], source: str
) -> tuple[str, list[dict[str, Any]]]:
    """The sentence of an action for one customer, and the facts in it."""
    fact = {"id": "propensity", "value": propensity, "display": percent(propensity), "source": source}
    which = variation(features)
    idea = f"a {which} variation" if which else "it"
    text = (
        f"This customer has {_a(str(fact['display']))} {fact['display']} chance of accepting "
        f"{with_article(offer_name)}; try {idea} through {_CHANNEL_WORDS[channel]} during "
        f"{WINDOWS[window].label}."
    )
    return text, [fact]


def _a(number: str) -> str:
    """`an 8%`, `an 11%`, `an 18%`, `an over 99%`; `a` before every other number."""
    head = number.split("%")[0].split(".")[0]
    return "an" if number[0] in "8ou" or head in ("11", "18") else "a"


def no_action_reason(funnel: list[dict[str, Any]]) -> str:
    """Why nothing should be sent: the stage that removed the last actions."""
    last = next((stage for stage in reversed(funnel) if stage["removed"]), None)
    if last is None:
        return "No message for this customer now: there is no offer to propose."
    return f"No message for this customer now: {last['reason'][:1].lower()}{last['reason'][1:]}"


def segment_reason(
    label: str,
    size: int,
    count: int,
    offer_name: str,
    channel: str,
    window: str,
    propensity: float,
    value: str,
    source: str,
) -> tuple[str, list[dict[str, Any]]]:
    """The sentence of an action for a segment, and the facts in it."""
    facts: list[dict[str, Any]] = [
        {"id": "count", "value": count, "display": f"{count:,}", "source": source},
        {"id": "size", "value": size, "display": f"{size:,}", "source": source},
        {"id": "propensity", "value": propensity, "display": percent(propensity), "source": source},
        {"id": "expected_value", "value": value, "display": value, "source": source},
    ]
    text = (
        f"{facts[0]['display']} of {facts[1]['display']} customers in “{label}” can be reached now and have "
        f"{_a(facts[2]['display'])} {facts[2]['display']} "
        f"chance on average of accepting {with_article(offer_name)}; use "
        f"{_CHANNEL_WORDS[channel]} during {WINDOWS[window].label} for an expected value of "
        f"{facts[3]['display']}."
    )
    return text, facts
