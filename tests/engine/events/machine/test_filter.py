"""Each signal of the machine filter on its own, and what must not change the verdict."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.events.contract import Event, events_table
from smart_reach.engine.events.machine import MACHINE_SIGNALS, PERSON_SIGNALS, Earlier, judge
from smart_reach.engine.events.machine.filter import CLOUD_SECONDS, LINKS, LINKS_SECONDS
from smart_reach.engine.events.machine.lists import _lists, agent_class, network_class

AT = datetime(2026, 11, 19, 9, 0, tzinfo=UTC)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
CLOUD = "34.70.1.0/24"


def event(name: str, kind: str, seconds: float = 0, **more: Any) -> Event:
    at = AT + timedelta(seconds=seconds)
    return Event(name, "cus_000001", kind, at, at, "test", **{"message_id": "m1", **more})


def verdicts(*events: Event) -> dict[str, tuple[bool, str | None]]:
    rows = judge(events_table(events), Earlier())
    columns = (rows[name].to_pylist() for name in ("event_id", "machine", "machine_signals"))
    return {name: (machine, signals) for name, machine, signals in zip(*columns, strict=True)}


@pytest.mark.parametrize(
    ("kind", "given", "verdict"),
    [
        ("click", {"user_agent": PHONE}, (False, None)),
        (
            "click",
            {"user_agent": "Mozilla/5.0 (ProofPoint URL Defense)"},
            (True, "scanner-agent"),
        ),
        ("click", {"user_agent": "curl/8.5.0"}, (True, "scanner-agent")),
        ("open", {"user_agent": "python-requests/2.32"}, (True, "scanner-agent")),
        ("click", {"network": "209.222.82.0/24"}, (True, "scanner-network")),
        ("click", {"network": "203.0.113.0/24"}, (False, None)),
        ("open", {"user_agent": "Mozilla/5.0"}, (True, "privacy-prefetch")),
        ("click", {"user_agent": "Mozilla/5.0"}, (False, None)),
        ("open", {"user_agent": GMAIL}, (False, "image-proxy")),
        ("click", {"user_agent": GMAIL}, (False, None)),
        (
            "click",
            {"user_agent": "curl/8", "network": "67.231.144.0/24"},
            (True, "scanner-agent,scanner-network"),
        ),
        ("unsubscribe", {"user_agent": "curl/8.5.0"}, (False, None)),
        ("web_visit", {"user_agent": "curl/8.5.0"}, (False, None)),
        ("click", {"network": "nowhere"}, (False, None)),
    ],
)
def test_agents_and_networks(kind: str, given: dict[str, str], verdict: tuple[bool, str | None]) -> None:
    assert verdicts(event("x", kind, 900, **given))["x"] == verdict


@pytest.mark.parametrize("named", ["page", "link_id"])
def test_a_sweep_over_the_links_is_a_machine(named: str) -> None:
    def link(name: str) -> dict[str, str]:
        return (
            {"page": name} if named == "page" else {"page": "/", "attributes": json.dumps({"link_id": name})}
        )

    swept = [event(f"s{n}", "click", 600 + 2.0 * n, **link(f"/{n}")) for n in range(LINKS)]
    again = [event(f"a{n}", "click", 600 + 2.0 * n, message_id="m2", **link("/1")) for n in range(LINKS)]
    slowly = [
        event(f"p{n}", "click", 600 + (LINKS_SECONDS / (LINKS - 1) + 1) * n, message_id="m3", **link(f"/{n}"))
        for n in range(LINKS)
    ]
    found = verdicts(*swept, *again, *slowly)
    assert {name for name, (machine, _) in found.items() if machine} == {one.event_id for one in swept}
    assert found["s0"] == (True, "several-links")


def test_a_click_from_a_cloud_needs_more_to_be_a_machine() -> None:
    delivered, click = event("d", "delivered"), event("c", "click", 60, network=CLOUD)
    late = replace(click, occurred_at=AT + timedelta(seconds=CLOUD_SECONDS + 1))
    assert verdicts(delivered, click)["c"] == (True, "cloud-click")
    assert verdicts(delivered, event("o", "open", 50), click)["c"] == (False, None)
    assert verdicts(delivered, late)["c"] == (False, None)
    assert verdicts(click)["c"] == (False, None)


def test_a_verdict_that_came_with_the_event_stays() -> None:
    came = event("x", "click", 900, machine=True, machine_signals="provider", user_agent="curl/8")
    assert verdicts(came)["x"] == (True, "provider,scanner-agent")
    assert verdicts(replace(came, user_agent=None))["x"] == (True, "provider")


def test_events_of_no_message_are_judged_by_themselves() -> None:
    found = verdicts(*(event(f"c{n}", "click", n / 10, message_id=None, page=f"/{n}") for n in range(5)))
    assert not any(machine for machine, _ in found.values())


events = st.lists(
    st.builds(
        event,
        st.uuids().map(str),
        st.sampled_from(["delivered", "open", "click", "click", "sent"]),
        st.integers(0, 40).map(lambda tenths: tenths / 2),
        message_id=st.sampled_from(["m1", "m2"]),
        page=st.sampled_from([None, "/a", "/b", "/c"]),
        user_agent=st.sampled_from([None, PHONE, GMAIL, "curl/8"]),
        network=st.sampled_from([None, CLOUD, "67.231.144.0/24", "203.0.113.0/24"]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda one: one.event_id,
).filter(lambda rows: sum(one.kind == "delivered" for one in rows) <= 1)


@given(rows=events, random=st.randoms(use_true_random=False))
def test_the_order_of_a_batch_changes_nothing(rows: list[Event], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert verdicts(*rows) == verdicts(*shuffled)


@given(rows=events)
def test_a_verdict_has_its_signals_and_nothing_else_changes(rows: list[Event]) -> None:
    before = events_table(rows)
    after = judge(before, Earlier())
    kept = [name for name in before.schema.names if name not in ("machine", "machine_signals")]
    assert after.select(kept).equals(before.select(kept))
    assert after.schema == before.schema
    for row in after.to_pylist():
        signals = set((row["machine_signals"] or "").split(",")) - {""}
        assert signals <= {*MACHINE_SIGNALS, *PERSON_SIGNALS}
        assert row["machine"] == bool(signals & set(MACHINE_SIGNALS))


@given(rows=events)
def test_a_second_look_changes_nothing(rows: list[Event]) -> None:
    once = judge(events_table(rows), Earlier())
    assert judge(once, Earlier()).equals(once)


def test_every_entry_of_the_lists_is_found_and_has_its_source() -> None:
    for name, entries in _lists()["agents"].items():
        for entry in entries:
            assert agent_class((entry.get("has") or entry["is"]).upper()) == name
            assert entry["source"]
    for name, entries in _lists()["networks"].items():
        for entry in entries:
            block = ipaddress.ip_network(entry["cidr"])
            assert network_class(str(block[0])) == network_class(str(block[-1])) == name
            assert entry["source"]
            assert network_class(str(block[-1] + 1)) in (None, name)
