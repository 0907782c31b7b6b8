"""With trained models: what was decided for others still comes out bit for bit."""

from __future__ import annotations

import json

from sqlalchemy.orm import Session

from smart_reach.engine.decisioning.tables import ContactReservation
from smart_reach.engine.privacy.forget import forget
from tests.engine.decisioning.conftest import bank as bank
from tests.engine.privacy.conftest import OTHER, VICTIM, services


def test_other_decisions_and_audiences_hold_after_an_erasure(bank):
    held = services(bank.ws)
    segment = held.decisions.decide_segment("all")
    mine = held.decisions.decide(VICTIM, reserve=True)
    theirs = [held.decisions.decide(one, reserve=True) for one in (OTHER, "cus_000007", "cus_000011")]
    assert VICTIM in segment.audience
    forget(bank.ws, VICTIM, actor="usr_ada")
    for one in theirs:
        assert held.decisions.replay(one.id).same
        assert held.decisions.get(one.id).as_json() == one.as_json()
    assert not held.decisions.replay(mine.id).same
    stored = held.decisions.get_segment(segment.id)
    assert stored.audience == tuple(one for one in segment.audience if one != VICTIM)
    assert VICTIM not in json.dumps(stored.as_json())
    with Session(bank.ws.db) as session:
        assert session.query(ContactReservation).count() == len([one for one in theirs if one.action])
