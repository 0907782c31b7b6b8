"""Drafts exist for the whole grid, pass their check and are bound to versions."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from smart_reach.engine.catalog.terms import terms_of
from smart_reach.engine.catalog.words import CHANNELS
from smart_reach.engine.compliance.facts import facts_of
from smart_reach.engine.compliance.verdict import check, check_text
from smart_reach.engine.errors import InvalidInput, NotFound
from smart_reach.engine.workspace import Workspace
from smart_reach.knowledge.copy import draft_variants, render
from smart_reach.knowledge.documents import offers
from smart_reach.knowledge.lines import TONES
from smart_reach.knowledge.rules import load_rules

GRID = [(offer_id, channel) for offer_id in offers() for channel in CHANNELS]


@pytest.mark.parametrize(("offer_id", "channel"), GRID)
def test_every_draft_passes_and_reads_well(seeded: Workspace, offer_id: str, channel: str) -> None:
    at = seeded.clock.now()
    with Session(seeded.db) as session:
        facts = facts_of(session, offer_id, at)
        current = terms_of(session, offer_id, at)
        for tone in TONES:
            variants = draft_variants(session, offer_id, channel, tone=tone, n=2, at=at)
            assert [variant.label for variant in variants] == ["A", "B"]
            assert len({(variant.subject, variant.body) for variant in variants}) == 2
            for variant in variants:
                verdict = check(variant.message(), facts, load_rules())
                assert verdict.findings == ()
                shown = render(session, variant)
                # What was rendered reads as plain text that the free-text check passes as well.
                assert check_text(
                    shown.body, offer_id, channel, facts, load_rules(), subject=shown.subject, cta=shown.cta
                ).passed
                assert "{" not in shown.body
                assert "  " not in shown.body
                assert not re.search(r"\.\.|,\.| [.,]", shown.body)
                assert shown.figures == variant.figures
                assert shown.figures
                for figure in shown.figures:
                    field = getattr(shown, figure.field)
                    assert field[figure.start : figure.end] == current[figure.term_id].display
                    assert figure.version == current[figure.term_id].version
                    assert (figure.qualifier or "") in figure.text
                assert variant.url.startswith("https://demo-bank.example/")
                assert f"utm_medium={channel}" in variant.url


def test_two_variants_differ_in_tone_by_default(seeded: Workspace) -> None:
    with Session(seeded.db) as session:
        pair = draft_variants(session, "rewards-card", "push", at=seeded.clock.now())
        again = draft_variants(session, "rewards-card", "push", at=seeded.clock.now())
    assert pair[0].tone != pair[1].tone
    assert pair == again


def test_length_is_kept(seeded: Workspace) -> None:
    at = seeded.clock.now()
    with Session(seeded.db) as session:
        (short,) = draft_variants(session, "mortgage", "email", tone="plain", n=1, at=at, length="short")
        (long,) = draft_variants(session, "mortgage", "email", tone="plain", n=1, at=at, length="long")
    assert len(short.body) < len(long.body)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"offer_id": "gold-card"}, "offer"),
        ({"channel": "fax"}, "channel"),
        ({"tone": "funny"}, "tone"),
        ({"length": "endless"}, "length"),
        ({"n": 0}, "n"),
        ({"n": 99}, "n"),
    ],
)
def test_unknown_words_are_named(seeded: Workspace, change: dict[str, object], field: str) -> None:
    asked: dict[str, object] = {"offer_id": "rewards-card", "channel": "email", "at": seeded.clock.now()}
    asked |= change
    with Session(seeded.db) as session, pytest.raises(InvalidInput) as error:
        draft_variants(session, asked.pop("offer_id"), asked.pop("channel"), **asked)  # type: ignore[arg-type]
    assert error.value.field == field


def test_drafts_follow_the_terms_in_force(seeded: Workspace) -> None:
    """Before the new version the old one is bound; after the offer's end its figures are gone."""
    at = seeded.clock.now()
    with Session(seeded.db) as session:
        before = draft_variants(session, "rewards-card", "email", at=at - timedelta(days=100), n=1)[0]
        assert "rewards-card.apr@1" in before.body
        assert "21.9% APR representative" in render(session, before).body
        verdict = check(before.message(), facts_of(session, "rewards-card", at), load_rules())
        assert "figures.current" in {finding.rule for finding in verdict.blocking}
        after = draft_variants(session, "home-insurance", "email", at=at + timedelta(days=200), n=1)[0]
        assert "offer_end" not in after.body
        assert "discount" not in after.body


def test_unknown_version_is_not_found(seeded: Workspace) -> None:
    from dataclasses import replace

    with Session(seeded.db) as session:
        variant = draft_variants(session, "rewards-card", "sms", at=seeded.clock.now(), n=1)[0]
        with pytest.raises(NotFound):
            render(session, replace(variant, body="{term:rewards-card.apr@9}"))
