"""Whose an event is: by id, by keys, by what customer records declare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.identity import people
from smart_reach.engine.catalog.identity.resolver import Resolver
from smart_reach.engine.catalog.tables import Customer, IdentityConflict, IdentityKey
from smart_reach.engine.state.base import transaction
from smart_reach.engine.workspace import Workspace

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = b"0123456789abcdef"
KEYS = pa.list_(pa.struct([("kind", pa.string()), ("value", pa.string())]))


def event(
    number: int,
    kind: str = "transaction",
    *,
    customer_id: str | None = None,
    key: tuple[str, str] | None = None,
    keys: Sequence[tuple[str, str]] | None = None,
) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "customer_id": customer_id,
        "kind": kind,
        "occurred_at": NOON,
        "received_at": NOON,
        "source": "test",
        "key_kind": key and key[0],
        "key_value": key and key[1],
        "keys": None if keys is None else [{"kind": one, "value": value} for one, value in keys],
        "row": number,
    }


def batch(*events: dict[str, Any]) -> pa.Table:
    stamp = pa.timestamp("us", tz="UTC")
    schema = pa.schema(
        [
            ("event_id", pa.string()),
            ("customer_id", pa.string()),
            ("kind", pa.string()),
            ("occurred_at", stamp),
            ("received_at", stamp),
            ("source", pa.string()),
            ("key_kind", pa.string()),
            ("key_value", pa.string()),
            ("keys", KEYS),
            ("row", pa.int64()),
        ]
    )
    return pa.Table.from_pylist(list(events), schema=schema)


def resolved(ws: Workspace, resolver: Resolver, *events: dict[str, Any]) -> list[str]:
    with transaction(ws.db) as session:
        ids: list[str] = resolver(session, batch(*events))["customer_id"].to_pylist()
    return ids


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(SECRET)


def test_an_id_stays_what_it_is(workspace: Workspace, resolver: Resolver) -> None:
    assert resolved(workspace, resolver, event(1, customer_id="cus_1")) == ["cus_1"]


def test_a_batch_of_which_nothing_was_good_is_no_trouble(workspace: Workspace, resolver: Resolver) -> None:
    """It once ended the process: pyarrow reads beyond a column that has no chunk."""
    assert resolved(workspace, resolver) == []


def test_marks_that_nobody_sees_make_no_other_person(workspace: Workspace, resolver: Resolver) -> None:
    spelled = ("C-1", "\ufeffC-1", "C\u200b-1", "C-\u00ad1\u2060")
    ids = resolved(workspace, resolver, *(event(n, key=("crm_id", one)) for n, one in enumerate(spelled)))
    assert len(set(ids)) == 1
    assert resolved(workspace, resolver, event(9, key=("crm_id", "\u200b\ufeff"))) == [None]


def test_one_key_is_one_customer_however_it_is_spelled(workspace: Workspace, resolver: Resolver) -> None:
    first, other, again = resolved(
        workspace,
        resolver,
        event(1, key=("email", "Maya@Shop.example")),
        event(2, key=("email", "ana@shop.example")),
        event(3, key=("email", " maya@shop.example ")),
    )
    assert first == again != other
    assert resolved(workspace, Resolver(SECRET), event(4, key=("email", "maya@shop.example"))) == [first]
    assert resolved(workspace, resolver, event(5, key=("phone", "+351 21-123 456"))) == resolved(
        workspace, resolver, event(6, key=("phone", "0035121123456"))
    )


def test_no_value_is_stored_and_the_columns_go(workspace: Workspace, resolver: Resolver) -> None:
    with transaction(workspace.db) as session:
        events = resolver(
            session, batch(event(1, "customer", key=("crm_id", "C-1"), keys=[("email", "maya@x.example")]))
        )
    assert not {"key_kind", "key_value", "keys"} & set(events.column_names)
    assert "row" in events.column_names
    with Session(workspace.db) as session:
        rows = session.execute(select(IdentityKey.__table__)).all()
        assert len(rows) == 2
        assert not [row for row in rows if "maya" in str(row) or "C-1" in str(row)]


def test_another_secret_gives_other_customers(workspace: Workspace) -> None:
    mine = resolved(workspace, Resolver(SECRET), event(1, key=("email", "maya@x.example")))
    theirs = resolved(workspace, Resolver(SECRET[::-1]), event(1, key=("email", "maya@x.example")))
    assert mine != theirs


def test_a_record_joins_what_its_keys_did_before(workspace: Workspace, resolver: Resolver) -> None:
    web, mail = resolved(
        workspace, resolver, event(1, key=("cookie_id", "k1")), event(2, key=("email", "maya@x.example"))
    )
    assert web != mail
    record = event(
        3, "customer", customer_id="cus_7", keys=[("email", "maya@x.example"), ("cookie_id", "k1")]
    )
    after = resolved(
        workspace, resolver, record, event(4, key=("cookie_id", "k1")), event(5, customer_id=web)
    )
    assert after == ["cus_7"] * 3
    assert conflicts(workspace) == []
    with Session(workspace.db) as session:
        assert people.names_of(session, mail) == ["cus_7", *sorted([web, mail])]


def test_two_described_customers_are_never_joined(workspace: Workspace, resolver: Resolver) -> None:
    first, second = resolved(
        workspace,
        resolver,
        event(1, "customer", key=("crm_id", "1"), keys=[("email", "a@x.example")]),
        event(2, "customer", key=("loyalty_id", "9"), keys=[("phone", "123456")]),
    )
    third = resolved(
        workspace, resolver, event(3, "customer", keys=[("email", "a@x.example"), ("phone", "123456")])
    )
    assert third == [first]
    assert conflicts(workspace) == [tuple(sorted((first, second)))]


def test_two_values_of_a_key_of_which_a_person_has_one(workspace: Workspace, resolver: Resolver) -> None:
    shared = [("email", "family@x.example")]
    first, second = resolved(
        workspace,
        resolver,
        event(1, "customer", key=("crm_id", "1"), keys=shared),
        event(2, "customer", key=("crm_id", "2"), keys=shared),
    )
    assert first != second
    assert conflicts(workspace) == [tuple(sorted((first, second)))]


@pytest.mark.parametrize("key", [("email", "n/a"), ("phone", "none"), ("crm_id", "  "), ("shoe_size", "42")])
def test_a_key_of_nobody_is_refused_and_joins_nobody(
    workspace: Workspace, resolver: Resolver, key: tuple[str, str]
) -> None:
    with transaction(workspace.db) as session:
        found = resolver.resolve(session, batch(event(7, key=key), event(8, customer_id="cus_1")))
    assert found.events["customer_id"].to_pylist() == [None, "cus_1"]
    assert [(one.row, one.field.split(".")[0]) for one in found.refused] == [(7, "customer_key")]
    first, second = resolved(
        workspace,
        resolver,
        event(1, "customer", key=("crm_id", "1"), keys=[key]),
        event(2, "customer", key=("crm_id", "2"), keys=[key]),
    )
    assert first != second
    assert conflicts(workspace) == []


def test_what_was_rolled_back_is_not_remembered(workspace: Workspace, resolver: Resolver) -> None:
    key = event(1, key=("email", "maya@x.example"))
    with Session(workspace.db) as session:
        lost = resolver(session, batch(key))["customer_id"].to_pylist()
        session.rollback()
    assert resolved(workspace, resolver, key) == lost
    with Session(workspace.db) as session:
        assert session.scalar(select(func.count()).select_from(IdentityKey)) == 1
        assert session.scalar(select(Customer.id)) == lost[0]


def test_an_id_that_another_customer_has_is_not_given_twice(workspace: Workspace, resolver: Resolver) -> None:
    key = event(1, key=("email", "maya@x.example"))
    with Session(workspace.db) as session:
        short = resolver(session, batch(key))["customer_id"].to_pylist()[0]
    with transaction(workspace.db) as session:
        people.add_customers(session, [short])
    assert resolved(workspace, resolver, key)[0].startswith(short)
    assert resolved(workspace, resolver, key) != [short]


def conflicts(ws: Workspace) -> list[tuple[str, str]]:
    with Session(ws.db) as session:
        rows = session.execute(select(IdentityConflict.first_id, IdentityConflict.second_id))
        return [(first, second) for first, second in rows]
