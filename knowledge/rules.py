"""The rule book of the demo bank, ready for the verdict engine."""

from __future__ import annotations

from functools import lru_cache

from smart_reach.engine.canonical import content_hash
from smart_reach.engine.compliance.rules import RuleBook, parse_rules
from smart_reach.knowledge.documents import offers, rule_entries


@lru_cache(maxsize=1)
def load_rules() -> RuleBook:
    """All legal and brand rules; `version` is the hash of their text. Raises `Integrity` for a bad rule."""
    entries = list(rule_entries())
    parsed = parse_rules(entries)
    categories = {offer.id: offer.category for offer in offers().values()}
    return RuleBook(parsed, categories, content_hash([entries, categories])[:12])
