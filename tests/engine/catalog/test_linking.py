"""Joining keys, for any records in any order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.catalog.identity.keys import declared_rules
from smart_reach.engine.catalog.identity.linking import Known, Linker, LinkRecord

RULES = declared_rules()
AT = datetime(2026, 11, 20, tzinfo=UTC)
Key = tuple[str, str]
Record = tuple[str | None, tuple[Key, ...]]  # a customer record: the id it gives, its keys
NOBODY = Known({}, set(), {}, set())

keys = st.tuples(
    st.sampled_from(["crm_id", "core_id", "email", "phone", "cookie_id"]), st.sampled_from("abcd")
).map(lambda key: (key[0], f"{key[0]}-{key[1]}"))
records = st.tuples(
    st.none() | st.sampled_from(["cus_1", "cus_2"]), st.lists(keys, min_size=1, max_size=4).map(tuple)
)
events = keys.map(lambda key: ("event", key))
histories = st.lists(records | events, max_size=14)


def run(history: Sequence[object]) -> Linker:
    linker = Linker(RULES, NOBODY)
    for number, item in enumerate(history):
        if item[0] == "event":  # type: ignore[index]
            linker.see(*item[1])  # type: ignore[index]
        else:
            customer_id, some = item  # type: ignore[misc]
            linker.link(LinkRecord(f"r{number}", "test", AT, customer_id, some))
    return linker


def groups(pairs: Iterable[tuple[object, object]]) -> set[frozenset[object]]:
    """Connected components."""
    found: list[set[object]] = []
    for one, other in pairs:
        touched = [group for group in found if one in group or other in group]
        found = [group for group in found if group not in touched]
        found.append(set().union({one, other}, *touched))
    return {frozenset(group) for group in found}


def with_conflicts(linker: Linker) -> set[frozenset[object]]:
    """Keys joined by customers and by conflicts together."""
    owned = [(key, linker.owner(key)) for key in linker.links.keys]
    clashes = [
        (linker.stands_for(clash.first), linker.stands_for(clash.second)) for clash in linker.links.clashes
    ]
    return {
        frozenset(one for one in group if not str(one).startswith("cus_"))
        for group in groups([*owned, *clashes])
    } - {frozenset()}


def declared(history: Sequence[object]) -> set[frozenset[object]]:
    """What the records together say: every key beside the first of its record, or beside the id it gives."""
    pairs: list[tuple[object, object]] = []
    for item in history:
        if item[0] == "event":  # type: ignore[index]
            pairs.append((item[1][1], item[1][1]))  # type: ignore[index]
        else:
            customer_id, some = item  # type: ignore[misc]
            pairs += [(customer_id or some[0][1], key) for _, key in some]
    return {frozenset(one for one in group if not str(one).startswith("cus_")) for group in groups(pairs)} - {
        frozenset()
    }


@given(histories, st.randoms(use_true_random=False))
def test_customers_and_conflicts_together_are_the_same_in_any_order(
    history: list[object], random: object
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert with_conflicts(run(history)) == with_conflicts(run(shuffled)) == declared(history)


@given(histories)
def test_nobody_gets_two_values_of_a_key_of_which_a_person_has_one(history: list[object]) -> None:
    linker = run(history)
    held: dict[tuple[str | None, str], str] = {}
    for key, (kind, _) in linker.links.keys.items():
        if RULES.kinds[kind].one_each:
            assert held.setdefault((linker.owner(key), kind), key) == key


@given(histories)
def test_described_customers_are_never_joined(history: list[object]) -> None:
    linker = Linker(RULES, NOBODY)
    for number, item in enumerate(history):
        if item[0] == "event":  # type: ignore[index]
            linker.see(*item[1])  # type: ignore[index]
        else:
            customer_id, some = item  # type: ignore[misc]
            described = set(linker.links.described)
            linker.link(LinkRecord(f"r{number}", "test", AT, customer_id, some))
            assert not described & set(linker.links.joins)


@given(histories)
def test_repeating_a_history_changes_nothing(history: list[object]) -> None:
    linker = run(history)
    owners = {key: linker.owner(key) for key in linker.links.keys}
    twice = run([*history, *history])
    assert {key: twice.owner(key) for key in twice.links.keys} == owners
