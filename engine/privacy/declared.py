"""Which columns name a person, and what happens to their rows; a test refuses an undeclared one.

Every other text, JSON and binary column of every table is searched for the id all the same (sweep.py).
"""

from __future__ import annotations

# a column of one of these names says that a row is about a person
PERSON_COLUMNS = frozenset(
    {
        "customer_id",
        "unit",
        "first_id",
        "second_id",
        "kept_id",
        "into_id",
        "home_id",
        "person_id",
        "subject_id",
    }
)

# Rows that are about the person, deleted; in an order that no foreign key forbids.
DELETED: dict[str, tuple[str, ...]] = {
    "consent_records": ("customer_id",),
    "consents": ("customer_id",),
    "holdings": ("customer_id",),
    "customer_profiles": ("customer_id",),
    "undescribed_customers": ("customer_id",),
    "customer_aliases": ("customer_id", "into_id"),
    "identity_conflicts": ("first_id", "second_id", "kept_id"),
    "contact_reservations": ("customer_id",),
    "outbox": ("customer_id",),
    "loopback_messages": ("customer_id",),
    "assignments": ("unit",),
    "demo_pending": ("customer_id",),
    "dead_letters": ("customer_id",),
    "customers": ("id",),
}

# Rows deleted when they name the person anywhere: the whole row is one record about that person.
DELETED_WHEN_NAMED = frozenset({"dead_letters", "pending_events"})

# Handled with their hashes, by code of their own: see forget.py.
HANDLED: dict[str, str] = {
    "decisions": "the record is emptied, its number and hash stay (records/erasure.py)",
    "identity_keys": "the keyed hash stays without its customer, so that what comes under it is dropped",
    "person_keys": "destroyed: the ledger's sealed parts cannot be opened again",
}

# Columns of such a name that say something else.
NOT_PEOPLE: dict[str, tuple[str, ...]] = {"terms": ("unit",)}

# Not searched: nothing in them can be read as the person's id, or the chain's own code looks after them.
APART: dict[str, str] = {
    "ledger": "redacted by signed entries (governance/sealed.py)",
    "ledger_head": "a hash",
    "sealed_parts": "ciphertext under keys that are destroyed",
    "person_keys": "see HANDLED",
    "erased_customers": "keyed hashes only",
    "erasures": "holds the id until the erasure is finished",
    "knowledge_passages": "our own corpus",
    "alembic_version": "the schema's version",
}
