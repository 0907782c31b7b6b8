"""Questions about the contact policy get a yes or a no from the policy itself."""

from __future__ import annotations

import pytest

from smart_reach.engine.decisioning.contact.verdicts import answer
from smart_reach.engine.decisioning.policy import Cap, ContactPolicy


@pytest.mark.parametrize(
    ("question", "channel", "starts"),
    [
        ("Can we send SMS at 10pm?", "sms", "No: nothing goes out"),
        ("may I push at 21:00", "push", "No"),
        ("is 7 am fine, or at 9am?", None, "Yes: 09:00"),
        ("can we mail at 15:30?", "email", "Yes: 15:30"),
        ("May I message a customer twice in one day?", None, "No: at most 1 message in any 24 hours"),
        ("may we write 3 messages a week", None, "Yes"),
        ("may we send 4 messages per week", None, "No: at most 3"),
        ("two texts in a week?", "sms", "No: at most 1 SMS"),
        ("can I email someone 9 times a month", None, "No: at most 8"),
    ],
)
def test_yes_or_no(question: str, channel: str | None, starts: str) -> None:
    assert (answer(ContactPolicy(), question, channel) or "").startswith(starts)


@pytest.mark.parametrize("question", ["what is the contact policy", "at 45 o'clock", "", "who wrote it"])
def test_other_questions_are_left_alone(question: str) -> None:
    assert answer(ContactPolicy(), question, None) is None


def test_a_cap_of_none_allows_and_a_cap_of_zero_forbids() -> None:
    none_allowed = ContactPolicy(caps=(Cap(24, 0),))
    no_cap = ContactPolicy(caps=(Cap(24, None),))
    assert (answer(none_allowed, "once a day?", None) or "").startswith("No")
    assert (answer(no_cap, "twice a day?", None) or "").startswith("Yes")
