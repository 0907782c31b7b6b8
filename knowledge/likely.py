"""Which offer a text is about, or that it is about none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from smart_reach.engine.compliance.folding import fold
from smart_reach.engine.errors import Integrity
from smart_reach.knowledge.documents import offers, topics
from smart_reach.knowledge.index import KnowledgeIndex

_PASSAGES: Final = 50
# Cosines of all-MiniLM-L6-v2 between copy and passages: copy about no product stays below 0.45 ("Cheap
# pet insurance" is the nearest), and copy that also names the product's words stays above 0.2.
_ALONE: Final = 0.47
_NAMED: Final = 0.2


def likely_offer(text: str, index: KnowledgeIndex) -> str | None:
    """The offer that a text is most likely about; None when it fits none, so that somebody must say.

    Offers whose words the text names come first, the nearest in meaning among them; a text that names
    none must be very near to an offer's passages.
    """
    folded = " ".join(fold(text).text.split())
    if not folded:
        return None
    nearest: dict[str, float] = {}
    for passage in index.search(text, kinds=("product",), k=_PASSAGES):
        if passage.offer_id is not None:
            nearest.setdefault(passage.offer_id, passage.score)
    named = [offer_id for offer_id, words in _topics().items() if words.search(folded)]
    near = {offer_id: nearest.get(offer_id, 0.0) for offer_id in named or nearest}
    best = max(near, key=lambda offer_id: near[offer_id], default=None)
    return best if best is not None and near[best] >= (_NAMED if named else _ALONE) else None


@lru_cache(maxsize=1)
def _topics() -> Mapping[str, re.Pattern[str]]:
    """Patterns by offer. Raises `Integrity` unless every offer has its words."""
    found = {offer_id: re.compile(words) for offer_id, words in topics().items()}
    if found.keys() != offers().keys():
        raise Integrity("topics.yaml and the offers do not name the same products.")
    return found
