"""The contact ledger: exact under concurrency, repeatable after crashes."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from smart_reach.engine.clock import FixedClock
from smart_reach.engine.decisioning.contact.ledger import ContactLedger, Refusal
from smart_reach.engine.decisioning.policy import Cap, ContactPolicy
from smart_reach.engine.decisioning.tables import ContactReservation
from smart_reach.engine.errors import Conflict, InvalidInput, NotFound
from smart_reach.engine.state.base import transaction

POLICY = ContactPolicy(caps=(Cap(24, 2), Cap(24, 1, "sms")))


@pytest.fixture
def clock(workspace) -> FixedClock:
    return workspace.clock


@pytest.fixture
def ledger(clock) -> ContactLedger:
    return ContactLedger(clock, POLICY)


def _reserve(workspace, ledger, subject, *, channel="email", customer="cus_1", at=None):
    with transaction(workspace.db) as session:
        return ledger.reserve(session, customer, channel, at or workspace.clock.now(), subject)


def test_caps_hold_across_channels_and_say_why(workspace, ledger):
    assert isinstance(_reserve(workspace, ledger, "a"), int)
    assert isinstance(_reserve(workspace, ledger, "b", channel="push"), int)
    refused = _reserve(workspace, ledger, "c")
    assert isinstance(refused, Refusal)
    assert refused.rule == "cap"
    assert "at most 2 messages in any 24 hours" in refused.reason
    assert isinstance(_reserve(workspace, ledger, "d", customer="cus_2"), int)


def test_a_subject_is_reserved_once(workspace, ledger):
    first = _reserve(workspace, ledger, "a")
    assert _reserve(workspace, ledger, "a") == first
    with transaction(workspace.db) as session:
        ledger.commit(session, first)
        ledger.commit(session, first)
    assert _reserve(workspace, ledger, "a") == first
    with pytest.raises(Conflict, match="another contact"):
        _reserve(workspace, ledger, "a", channel="sms")


def test_release_frees_the_place_and_a_made_contact_stays(workspace, ledger):
    first = _reserve(workspace, ledger, "a", channel="sms")
    assert isinstance(_reserve(workspace, ledger, "b", channel="sms"), Refusal)
    with transaction(workspace.db) as session:
        ledger.release(session, first)
        ledger.release(session, first)
    second = _reserve(workspace, ledger, "b", channel="sms")
    assert isinstance(second, int)
    with transaction(workspace.db) as session:
        ledger.commit(session, second)
    with pytest.raises(Conflict, match="was made"), transaction(workspace.db) as session:
        ledger.release(session, second)


def test_an_expired_reservation_gives_its_place_back(workspace, ledger, clock):
    first = _reserve(workspace, ledger, "a", channel="sms")
    clock.advance(timedelta(minutes=61))
    second = _reserve(workspace, ledger, "b", channel="sms")
    assert isinstance(second, int)
    with pytest.raises(Conflict, match="place is taken"), transaction(workspace.db) as session:
        ledger.commit(session, first)


def test_a_late_commit_passes_while_the_place_is_free(workspace, ledger, clock):
    first = _reserve(workspace, ledger, "a", channel="sms")
    clock.advance(timedelta(minutes=61))
    with transaction(workspace.db) as session:
        ledger.commit(session, first)
    assert isinstance(_reserve(workspace, ledger, "b", channel="sms"), Refusal)


def test_caps_hold_under_concurrency(workspace, ledger):
    """Twelve threads want the same customer at once; exactly two get a place."""
    barrier, got, lock = threading.Barrier(12), [], threading.Lock()

    def want(number: int) -> None:
        barrier.wait()
        result = _reserve(workspace, ledger, f"m{number}", channel=("email", "push")[number % 2])
        with lock:
            got.append(result)

    threads = [threading.Thread(target=want, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 12
    assert sum(isinstance(one, int) for one in got) == 2
    with transaction(workspace.db) as session:
        assert session.scalar(select(func.count()).select_from(ContactReservation)) == 2


def test_backfill_counts_once(workspace, ledger, clock):
    rows = [("cus_1", "email", clock.now() - timedelta(hours=number), f"m{number}") for number in range(2)]
    with transaction(workspace.db) as session:
        assert ledger.backfill(session, rows) == 2
        assert ledger.backfill(session, rows) == 0
    assert isinstance(_reserve(workspace, ledger, "new"), Refusal)


def test_unknown_things_are_named(workspace, ledger):
    with pytest.raises(InvalidInput, match="fax"):
        _reserve(workspace, ledger, "a", channel="fax")
    with pytest.raises(NotFound), transaction(workspace.db) as session:
        ledger.commit(session, 999_999)


def test_many_at_once_are_as_one_after_the_other(workspace, ledger, clock):
    wanted = [("cus_2", "email", "b1"), ("cus_1", "sms", "a1"), ("cus_2", "push", "b2"),
              ("cus_1", "sms", "a2"), ("cus_2", "push", "b3")]  # fmt: skip
    with transaction(workspace.db) as session:
        answers = ledger.reserve_many(session, wanted, clock.now())
        assert ledger.reserve_many(session, wanted, clock.now()) == answers
        assert ledger.reserve_many(session, [], clock.now()) == {}
    assert {s for s, answer in answers.items() if isinstance(answer, Refusal)} == {"a2", "b3"}
    with transaction(workspace.db) as session:
        assert ledger.commit_many(session, [answers["a1"], answers["b1"]]) == {}
        ledger.release_many(session, [answers["b2"]])
    with transaction(workspace.db) as session:
        again = ledger.reserve_many(session, wanted[-1:], clock.now())
        with pytest.raises(Conflict, match="was made"):
            ledger.release_many(session, [again["b3"], answers["a1"]])


def test_only_the_lost_places_of_many_are_named(workspace, ledger, clock):
    first = [_reserve(workspace, ledger, f"m{n}", channel="sms", customer=f"cus_{n}") for n in range(3)]
    clock.advance(timedelta(minutes=61))
    _reserve(workspace, ledger, "taken", channel="sms", customer="cus_1")
    with transaction(workspace.db) as session:
        lost = ledger.commit_many(session, first)
    assert list(lost) == [first[1]]
    assert "place is taken" in lost[first[1]]


def test_batches_in_any_order_never_wait_in_a_ring(workspace, ledger, clock):
    """Both take the same customers, named in opposite orders; PostgreSQL would break a ring with an error."""
    customers, failed = [f"cus_{number}" for number in range(40)], []

    def take(tag: str, names: list[str]) -> None:
        try:
            for turn in range(5):
                with transaction(workspace.db) as session:
                    wanted = [(name, "email", f"{tag}-{turn}-{name}") for name in names]
                    ledger.reserve_many(session, wanted, clock.now())
        except Exception as error:
            failed.append(error)
            raise

    threads = [
        threading.Thread(target=take, args=("x", customers)),
        threading.Thread(target=take, args=("y", customers[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with transaction(workspace.db) as session:
        assert session.scalar(select(func.count()).select_from(ContactReservation)) == 80
