"""Retrieval finds what a marketer asks for, and only re-embeds what has changed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy.orm import Session

from smart_reach.engine.compliance.facts import current_facts
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.workspace import Workspace
from smart_reach.knowledge.documents import KINDS, documents
from smart_reach.knowledge.embedder import DIMENSIONS, Embedder
from smart_reach.knowledge.index import KnowledgeIndex

ASKED = [
    ("does the rewards card pay cashback on fuel", "rewards-card/1"),
    ("representative APR of the personal loan", "personal-loan.apr"),
    ("what happens if I stop paying my mortgage", "mortgage.repossession"),
    ("flooding from the sea home policy", "home-insurance/2"),
    ("how do people opt out of SMS", "sms.opt_out"),
    ("how many marketing messages may somebody get", "contact/how-often"),
    ("may we text people at night", "contact/quiet-hours"),
    ("tone of voice", "brand/voice"),
    ("is my money safe if the bank fails, deposit guarantee", "savings-account.protection"),
    ("advertising label for posts on social networks", "social.disclosure"),
]


@pytest.fixture(scope="module")
def index(seeded: Workspace) -> KnowledgeIndex:
    built = KnowledgeIndex(seeded.db, Embedder())
    assert built.build() == len(documents())
    return built


def test_nothing_is_embedded_twice(index: KnowledgeIndex) -> None:
    assert index.build() == 0


@pytest.mark.parametrize(("query", "wanted"), ASKED)
def test_the_passage_is_among_the_first_five(index: KnowledgeIndex, query: str, wanted: str) -> None:
    assert wanted in [passage.id for passage in index.search(query, k=5)]


def test_filters_and_order(index: KnowledgeIndex) -> None:
    found = index.search("interest rate", kinds={"product"}, offer_id="mortgage", k=8)
    assert {passage.offer_id for passage in found} == {"mortgage"}
    assert {passage.kind for passage in found} == {"product"}
    scores = [passage.score for passage in found]
    assert scores == sorted(scores, reverse=True)
    assert len(index.search("credit", k=3)) == 3
    assert {p.kind for kind in KINDS for p in index.search("credit", kinds=[kind])} == set(KINDS)


def test_figures_follow_the_terms_in_force(index: KnowledgeIndex, seeded: Workspace) -> None:
    found = next(p for p in index.search("rewards card APR") if p.id == "rewards-card.apr")
    assert "{term:rewards-card.apr}" in found.text
    at = seeded.clock.now()
    with Session(seeded.db) as session:
        now = current_facts(session, "rewards-card", at)
        then = current_facts(session, "rewards-card", at - timedelta(days=100))
    assert "19.9% APR representative" in found.shown(now).text
    assert "21.9% APR representative" in found.shown(then).text


@pytest.mark.parametrize(
    "asked", [{"query": " "}, {"query": "x", "kinds": ["gossip"]}, {"query": "x", "k": 0}]
)
def test_bad_searches_are_named(index: KnowledgeIndex, asked: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        index.search(**asked)  # type: ignore[arg-type]


def test_vectors_are_unit_and_mean_something() -> None:
    embedder = Embedder()
    texts = ["interest rate of a loan", "how much a loan costs", "the cat sleeps", ""]
    vectors = embedder.embed(texts)
    assert vectors.shape == (4, DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    # Neither company nor padding changes a vector (int8 activations allow a little).
    assert np.allclose(embedder.embed(texts[:1])[0], vectors[0], atol=0.05)
    assert embedder.embed([]).shape == (0, DIMENSIONS)
    with pytest.raises(TypeError):
        embedder.embed("one text")
