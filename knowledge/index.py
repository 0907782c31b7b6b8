"""The retrieval index: passages of the corpus with their vectors in pgvector.

Ranking is cosine similarity. Words count only where they hit: a passage that holds every content word
of the query gets a bonus by its text rank. Plain rank fusion of the two lists made results worse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import Column, Engine, Integer, MetaData, String, Table, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from smart_reach.engine.compliance.facts import TermFact
from smart_reach.engine.compliance.message import REFERENCE
from smart_reach.engine.errors import InvalidInput
from smart_reach.knowledge.documents import KINDS, Document, Kind, documents
from smart_reach.knowledge.embedder import DIMENSIONS, MODEL, Embedder

_WORD_BONUS = 0.15
_MOST = 50
# Derived data: it is built from the files and can be dropped at any time, so no migration knows it.
_TABLE = Table(
    "knowledge_passages",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("hash", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("offer_id", String, nullable=True),
    Column("title", String, nullable=False),
    Column("text", String, nullable=False),
    Column("source", String, nullable=False),
    Column("embedding", Vector(DIMENSIONS), nullable=False),
)


@dataclass(frozen=True)
class Passage:
    """A passage that was found. `text` keeps references such as `{term:rewards-card.apr}`; see `shown`."""

    id: str
    title: str
    text: str
    kind: Kind
    offer_id: str | None
    source: str
    score: float

    def shown(self, current: Mapping[str, TermFact]) -> Passage:
        """With the wording of the terms in force in place of the references."""
        text = REFERENCE.sub(lambda r: current[r["id"]].display if r["id"] in current else "–", self.text)
        return replace(self, text=text)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class KnowledgeIndex:
    """Build once, search from any thread. A search builds the index first if it is not there."""

    def __init__(self, db: Engine, embedder: Embedder) -> None:
        self._db = db
        self._embedder = embedder
        self._ready = False

    def build(self, force: bool = False) -> int:
        """Bring the index up to date with the corpus; returns how many passages were embedded anew."""
        _TABLE.create(self._db, checkfirst=True)
        wanted = {document.id: document for document in documents()}
        with self._db.begin() as connection:
            there = {row.id: row.hash for row in connection.execute(select(_TABLE.c.id, _TABLE.c.hash))}
            changed = [d for d in wanted.values() if force or there.get(d.id) != _hash(d)]
            connection.execute(delete(_TABLE).where(_TABLE.c.id.not_in(list(wanted))))
            if changed:
                vectors = self._embedder.embed([f"{d.title}. {_words(d.text)}" for d in changed])
                rows = [
                    {**asdict(d), "hash": _hash(d), "embedding": v}
                    for d, v in zip(changed, vectors, strict=True)
                ]
                put = insert(_TABLE)
                connection.execute(
                    put.on_conflict_do_update(
                        index_elements=["id"],
                        set_={c.name: put.excluded[c.name] for c in _TABLE.c if c.name != "id"},
                    ),
                    rows,
                )
        self._ready = True
        return len(changed)

    def search(
        self, query: str, *, kinds: Collection[str] | None = None, offer_id: str | None = None, k: int = 5
    ) -> list[Passage]:
        """The `k` nearest passages, best first; score in about [0, 1.15].

        With `offer_id`, passages of other offers are left out (those of no offer stay). Raises
        `InvalidInput` for an empty query, an unknown kind, or k outside 1 to 50.
        """
        _require(query, kinds, k)
        if not self._ready:
            self.build()
        vector = self._embedder.embed([query])[0]
        words = func.to_tsvector("english", _TABLE.c.title + " " + _TABLE.c.text)
        asked = func.plainto_tsquery("english", query)
        # Normalisation 32 maps the rank to [0, 1); a passage without every word has none.
        lexical = func.coalesce(func.ts_rank(words, asked, 32), 0.0) * words.op("@@")(asked).cast(Integer)
        score = (literal(1.0) - _TABLE.c.embedding.cosine_distance(vector) + _WORD_BONUS * lexical).label(
            "score"
        )
        statement = select(_TABLE, score).order_by(score.desc(), _TABLE.c.id).limit(k)
        if kinds is not None:
            statement = statement.where(_TABLE.c.kind.in_(list(kinds)))
        if offer_id is not None:
            statement = statement.where(or_(_TABLE.c.offer_id.is_(None), _TABLE.c.offer_id == offer_id))
        with self._db.connect() as connection:
            rows = connection.execute(statement).all()
        return [
            Passage(r.id, r.title, r.text, r.kind, r.offer_id, r.source, round(float(r.score), 6))
            for r in rows
        ]


def _require(query: str, kinds: Collection[str] | None, k: int) -> None:
    if not query.strip():
        raise InvalidInput("query", query, "Say what to look for.")
    if unknown := sorted(set(kinds or ()) - set(KINDS)):
        raise InvalidInput("kinds", unknown, f"Use {', '.join(KINDS)}.")
    if not 1 <= k <= _MOST:
        raise InvalidInput("k", k, f"Use a number from 1 to {_MOST}.")


def _hash(document: Document) -> str:
    parts: Sequence[str] = [MODEL, *(str(value) for value in asdict(document).values())]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _words(text: str) -> str:
    """A reference's id means nothing to the embedder."""
    return REFERENCE.sub("", text)
