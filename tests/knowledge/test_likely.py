"""Copy is matched to its offer, and copy about anything else to none."""

from __future__ import annotations

import pytest

from smart_reach.engine.workspace import Workspace
from smart_reach.knowledge.documents import documents
from smart_reach.knowledge.embedder import Embedder
from smart_reach.knowledge.index import KnowledgeIndex
from smart_reach.knowledge.likely import likely_offer

ABOUT = [
    ("Earn 1.5% cashback on groceries", "rewards-card"),
    ("The Rewards Card gives you something back", "rewards-card"),
    ("A card with a small fee of €12 a year", "low-fee-card"),
    ("Travelling soon? No foreign transaction fee abroad", "travel-card"),
    ("Our Platinum Card: cashback on travel bookings", "platinum-card"),
    ("Borrow up to €40,000 for your plans", "personal-loan"),
    ("Drive the car you want with a car loan", "car-loan"),
    ("Your mortgage at 3.4% fixed", "mortgage"),
    ("Insure your home from €14 a month", "home-insurance"),
    ("Medical cover on your trip", "travel-insurance"),
    ("Protect your family with life cover", "life-insurance"),
    ("Save with 2.1% AER variable interest", "savings-account"),
    ("Fixed rate for 12 months on your deposit", "term-deposit"),
    ("21.9% APR on our rewards card!!", "rewards-card"),
]
ABOUT_NOTHING = [
    "Lose weight fast with our new pill",
    "Buy two pizzas, get one free",
    "Our new phone has a bigger screen",
    "Visit our spring garden sale",
    "Vote for us on Sunday",
    "Meet singles in your area",
    "Win a new car in our lottery",
    "Buy bitcoin now and get rich",
    "Fly to Rome from 19 euros",
    "Congratulations! You won a cruise",
    "Learn Spanish in 30 days",
    "New gym membership, no joining fee",
    "Car repair at a fair price",
    "Cheap pet insurance",
    "Your holiday starts here: sun and beach",
    "Hello",
    "!!!",
    " ",
]


@pytest.fixture(scope="module")
def index(seeded: Workspace) -> KnowledgeIndex:
    return KnowledgeIndex(seeded.db, Embedder())


@pytest.mark.parametrize(("text", "offer_id"), ABOUT)
def test_copy_finds_its_offer(index: KnowledgeIndex, text: str, offer_id: str) -> None:
    assert likely_offer(text, index) == offer_id


@pytest.mark.parametrize("text", ABOUT_NOTHING)
def test_copy_about_no_product_has_no_offer(index: KnowledgeIndex, text: str) -> None:
    assert likely_offer(text, index) is None


def test_terms_read_as_sentences() -> None:
    texts = {document.id: document.text for document in documents() if document.kind == "product"}
    assert texts["rewards-card.cashback"] == "The Rewards Card pays {term:rewards-card.cashback}."
    assert texts["home-insurance.premium"] == "Home Insurance costs {term:home-insurance.premium}."
    for name, text in texts.items():
        assert text.count("{term:") == (1 if "." in name else 0)
        assert text[0].isupper()
        assert text.endswith(".")
