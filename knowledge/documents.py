"""Reads the corpus: offers with their terms, rules, brand guide, contact policy. Files are data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from smart_reach.engine.errors import Integrity, InvalidInput

Kind = Literal["product", "brand", "legal", "contact"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# In this order mandatory lines stand in a message: what the product needs, then how to opt out.
_RULES = ("legal/figures", "legal/claims", "legal/products", "legal/channels", "brand/words")
FOLDER = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class TermVersion:
    """One version of a fact. `from_day` and `to_day` count from the day the catalog is seeded."""

    display: str
    number: float | None
    unit: str
    qualifier: str | None
    from_day: int
    to_day: int | None
    date_day: int | None = None

    def shown(self, at: datetime) -> str:
        """The display; for a date, the day that lies `date_day` days after `at`."""
        if self.date_day is None:
            return self.display
        day = at + timedelta(days=self.date_day)
        return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True)
class TermEntry:
    """One fact of an offer; `id` is `<offer>.<fact>`, versions are numbered from 1 in order."""

    id: str
    label: str
    source: str
    versions: tuple[TermVersion, ...]


@dataclass(frozen=True)
class OfferEntry:
    """One offer of the corpus."""

    id: str
    name: str
    category: str
    margin_minor: int
    description: str
    source: str
    eligibility: tuple[Mapping[str, Any], ...]
    passages: tuple[tuple[str, str], ...]
    terms: tuple[TermEntry, ...]


@dataclass(frozen=True)
class Document:
    """A passage as written; product texts hold references such as `{term:rewards-card.apr}`."""

    id: str
    title: str
    text: str
    kind: Kind
    offer_id: str | None
    source: str


@lru_cache(maxsize=1)
def offers() -> Mapping[str, OfferEntry]:
    """Every offer by id. Raises `Integrity` when a file contradicts itself."""
    entries = [_offer(_yaml(path)) for path in sorted((FOLDER / "offers").glob("*.yaml"))]
    return {entry.id: entry for entry in entries}


def require_offer(offer_id: str) -> OfferEntry:
    """The offer, or `InvalidInput` with the offers there are."""
    if offer_id not in offers():
        raise InvalidInput("offer", offer_id, f"Use one of {', '.join(offers())}.")
    return offers()[offer_id]


def rule_entries() -> Iterator[dict[str, Any]]:
    """Every rule as plain data, its source completed by its section."""
    for name in _RULES:
        content = _yaml(FOLDER / f"{name}.yaml")
        for entry in content["rules"]:
            yield {**entry, "source": f"{content['source']}, {entry['section']}"}


def topics() -> Mapping[str, str]:
    """The words by which a text names each offer, as patterns on folded text."""
    return {str(offer_id): str(words) for offer_id, words in _yaml(FOLDER / "topics.yaml").items()}


def documents() -> tuple[Document, ...]:
    """Every passage of the corpus, product facts with references in place of figures."""
    return (
        *_products(),
        *_rules(),
        *_guide("brand", "brand/guide.md"),
        *_guide("contact", "contact/policy.md"),
    )


def _products() -> Iterator[Document]:
    for offer in offers().values():
        yield Document(offer.id, offer.name, offer.description, "product", offer.id, offer.source)
        for number, (title, text) in enumerate(offer.passages, 1):
            yield Document(
                f"{offer.id}/{number}", f"{offer.name}: {title}", text, "product", offer.id, offer.source
            )
        for term in offer.terms:
            text = _sentence(offer, term)
            yield Document(term.id, f"{offer.name}: {term.label}", text, "product", offer.id, term.source)


def _sentence(offer: OfferEntry, term: TermEntry) -> str:
    """A term as a sentence, with a reference where its figure stands."""
    patterns = _yaml(FOLDER / "sentences.yaml")
    pattern = str(patterns.get(term.id.rpartition(".")[2], patterns["default"]))
    inside = offer.name if offer.category == "insurance" else f"the {offer.name}"
    return pattern.format(offer=inside[:1].upper() + inside[1:], of=inside, term=f"{{term:{term.id}}}")


def _rules() -> Iterator[Document]:
    for entry in rule_entries():
        kind: Kind = "brand" if entry["id"].startswith("brand.") else "legal"
        yield Document(entry["id"], entry["title"], entry["text"], kind, None, entry["source"])


def _guide(kind: Kind, name: str) -> Iterator[Document]:
    title, *sections = re.split(r"^##? ", (FOLDER / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for section in sections:
        head, _, text = section.partition("\n")
        slug = re.sub(r"[^a-z0-9]+", "-", head.lower()).strip("-")
        yield Document(
            f"{kind}/{slug}",
            head.strip(),
            " ".join(text.split()),
            kind,
            None,
            f"{title.strip()}, {head.strip()}",
        )


def _offer(content: dict[str, Any]) -> OfferEntry:
    name = str(content["id"])
    return OfferEntry(
        name,
        content["name"],
        content["category"],
        content["margin_minor"],
        content["description"],
        content["source"],
        tuple(content["eligibility"]),
        tuple((passage["title"], passage["text"]) for passage in content["passages"]),
        tuple(_term(name, content["source"], entry) for entry in content["terms"]),
    )


def _term(offer_id: str, source: str, entry: dict[str, Any]) -> TermEntry:
    versions = tuple(
        TermVersion(
            version.get("display", ""),
            version.get("number"),
            version["unit"],
            version["qualifier"],
            version["from_day"],
            version.get("to_day"),
            version.get("date_day"),
        )
        for version in entry["versions"]
    )
    term_id = f"{offer_id}.{entry['id']}"
    for version in versions:
        if version.qualifier and version.qualifier not in version.display:
            raise Integrity(f"{term_id}: {version.display!r} does not say {version.qualifier!r}.")
    for old, new in pairwise(versions):
        if old.to_day is None or old.to_day > new.from_day:
            raise Integrity(f"{term_id}: two versions hold on day {new.from_day}.")
    return TermEntry(term_id, entry["label"], f"{source}, section {entry['section']}", versions)


def _yaml(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise Integrity(f"{path.name} is not a mapping.")
    return content
