"""The loopback connector keeps each message once, as it first came."""

from __future__ import annotations

from dataclasses import replace

from smart_reach.engine.catalog.words import CHANNELS
from smart_reach.engine.delivery.loopback import LoopbackConnector, loopback_connectors, message_json
from smart_reach.engine.delivery.messages import OutgoingMessage
from smart_reach.engine.workspace import Workspace

MESSAGE = OutgoingMessage(
    "m1", "cus_1", "CMP-1", "card", "push", "v-a", None, "S", "B", "C", "https://x.example"
)


def test_a_repeat_changes_nothing_but_the_count(workspace: Workspace) -> None:
    connector = LoopbackConnector(workspace.db, workspace.clock)
    assert connector.find("m1") is None
    first = connector.send(MESSAGE)
    again = connector.send(replace(MESSAGE, body="other"))
    assert (first.repeated, again.repeated) == (False, True)
    assert first.receipt_id == again.receipt_id
    assert connector.find("m1") == again
    (kept,) = connector.since(0)
    assert (kept.body, kept.attempts) == ("B", 2)
    assert message_json(kept)["accepted_at"] == "2026-11-20T12:00:00+00:00"


def test_since_and_sample(workspace: Workspace) -> None:
    connector = LoopbackConnector(workspace.db, workspace.clock)
    for number in range(5):
        connector.send(replace(MESSAGE, message_id=f"m{number}"))
    first = connector.since(0, limit=2)
    rest = connector.since(first[-1].seq)
    assert [m.message_id for m in (*first, *rest)] == ["m0", "m1", "m2", "m3", "m4"]
    assert [m.message_id for m in connector.sample("CMP-1", 2)] == ["m4", "m3"]
    assert connector.sample("CMP-2") == []


def test_many_at_once_are_what_each_would_be_alone(workspace: Workspace) -> None:
    connector = LoopbackConnector(workspace.db, workspace.clock)
    assert connector.send_many([]) == {}
    alone = connector.send(replace(MESSAGE, message_id="m1"))
    many = connector.send_many([replace(MESSAGE, message_id=f"m{n}", body="new") for n in range(3)])
    assert many["m1"] == replace(alone, repeated=True)
    assert [many[f"m{n}"].repeated for n in range(3)] == [False, True, False]
    assert many["m2"] == replace(connector.send(replace(MESSAGE, message_id="m2")), repeated=False)
    kept = {m.message_id: (m.body, m.attempts) for m in connector.since(0)}
    assert kept == {"m0": ("new", 1), "m1": ("B", 2), "m2": ("new", 2)}


def test_every_channel_has_a_way_out(workspace: Workspace) -> None:
    assert set(loopback_connectors(workspace.db, workspace.clock)) == set(CHANNELS)
