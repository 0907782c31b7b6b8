"""The receipt of an erasure: what was erased, what stays and why, and whether anything is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = (
    "a keyed hash of the id, so that a record about this person that arrives again is dropped",
    "the ledger's entries: their personal part is ciphertext whose key is destroyed, or was redacted",
    "numbers, times and hashes of decisions; totals that experiments and rollups had counted",
)
ELSEWHERE = (
    "Backups and PostgreSQL's write-ahead log hold what they held until they are recycled.",
    "Trained models keep what they learned; train anew if the law of your country asks for it.",
)


@dataclass(frozen=True)
class Receipt:
    """It names nobody: `person_hash` is the keyed hash that stays. `left`: places that still name the person.

    `deleted` and `rewritten`: rows by table; `ledger`: sealed parts that cannot be opened any more,
    entries redacted, and the number of the entry that records the erasure.
    """

    receipt_id: str
    person_hash: str
    begun_at: str
    finished_at: str | None
    deleted: Mapping[str, int] = field(default_factory=dict)
    rewritten: Mapping[str, int] = field(default_factory=dict)
    lake: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    ledger: Mapping[str, Any] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    repeated: bool = False

    @property
    def complete(self) -> bool:
        return self.finished_at is not None and not self.left

    def as_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "left": list(self.left),
            "complete": self.complete,
            "kept": list(KEPT),
            "elsewhere": list(ELSEWHERE),
        }


def as_text(receipt: Mapping[str, Any]) -> str:
    """The receipt as people read it."""
    lines = [f"Receipt {receipt['receipt_id']} · {receipt['finished_at'] or 'not finished'}"]
    if receipt["repeated"]:
        lines.append("This person had been erased before; everything was searched again.")
    lines += [f"  deleted    {table}: {_rows(rows)}" for table, rows in receipt["deleted"].items()]
    lines += [f"  rewritten  {table}: {_rows(rows)}" for table, rows in receipt["rewritten"].items()]
    lines += [f"  lake       {table}: {_rows(rows)}" for table, rows in receipt["lake"].items()]
    lines += [f"  file       {name}: {what}" for name, what in receipt["files"].items()]
    lines += [f"  ledger     {name}: {value}" for name, value in receipt["ledger"].items()]
    lines += ["Kept:", *(f"  {text}" for text in receipt["kept"])]
    lines += ["Outside this erasure:", *(f"  {text}" for text in receipt["elsewhere"])]
    if receipt["left"]:
        lines += ["STILL NAMED, run it again:", *(f"  {place}" for place in receipt["left"])]
    lines.append(f"Keyed hash: {receipt['person_hash']}")
    return "\n".join(lines)


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"
