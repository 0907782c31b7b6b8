"""The parts of a contract: fields, rules between fields, and the contract itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

FieldType = Literal[
    "id", "text", "integer", "boolean", "enum", "currency", "time", "address", "key", "keys", "attributes"
]
RuleKind = Literal["at_least_one", "at_most_one", "needs"]

ID_LENGTH: Final = 128
TEXT_LENGTH: Final = 512
KEY_LENGTH: Final = 256
MAX_KEYS: Final = 20
MAX_ATTRIBUTES: Final = 60
# No amount, count or number reaches further, and every JSON reader can hold it exactly.
LIMIT: Final = 10**15
MAX_RECORD_BYTES: Final = 1 << 20
# Times: epoch zero and its neighbours are missing times, not old ones.
EARLIEST_MS: Final = 631_152_000_000  # 1990-01-01T00:00:00Z
LATEST_YEAR_MS: Final = 4_102_444_800_000  # 2100-01-01; the day after arrival is the real limit
CURRENCY_PATTERN: Final = r"^[A-Z]{3}$"
NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,63}$"
TIME_PATTERN: Final = (
    r"^(199[0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})$"
)
CONTROL_PATTERN: Final = r"[\u0000-\u001f]"


@dataclass(frozen=True)
class Field:
    """One field of a contract. `column`: the column of `events` that keeps it; None means `attributes`."""

    name: str
    type: FieldType
    description: str
    required: bool = False
    enum: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    max_length: int | None = None
    personal: bool = False
    column: str | None = None


@dataclass(frozen=True)
class Rule:
    """What holds between fields. `needs`: the first field, when given, needs the second."""

    kind: RuleKind
    fields: tuple[str, ...]
    remedy: str


@dataclass(frozen=True)
class Contract:
    """One kind of record: its fields, its rules, the kinds of event it becomes, and an example."""

    name: str
    version: int
    title: str
    description: str
    kinds: tuple[str, ...]
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...]
    example: dict[str, Any]

    def field(self, name: str) -> Field | None:
        """The field of that name, if the contract has it."""
        return next((field for field in self.fields if field.name == name), None)
