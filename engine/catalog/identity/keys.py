"""The declared kinds of keys, and the keyed hash under which a value is kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from smart_reach.engine.errors import InvalidInput

Normal = Literal["trim", "lower", "digits"]
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Marks that nobody sees, such as the one some programs begin a file with: two keys never differ by them.
_UNSEEN = r"[\x{00AD}\x{200B}-\x{200F}\x{2060}\x{FEFF}]"
_FIELDS = {"kind", "label", "one_each", "normalise"}


@dataclass(frozen=True)
class KeyKind:
    """One kind of key. `rank`: 0 is the most trusted. `one_each`: a person has one value of it."""

    name: str
    label: str
    rank: int
    one_each: bool = False
    normalise: Normal = "trim"


@dataclass(frozen=True)
class KeyRules:
    """The kinds by name, most trusted first, and the values that name nobody."""

    kinds: Mapping[str, KeyKind]
    nobody: frozenset[str]


@cache
def declared_rules() -> KeyRules:
    """What the product ships."""
    return load_rules(Path(__file__).with_name("keys.yaml"))


def load_rules(path: Path) -> KeyRules:
    """Read a declaration of keys. Raises `InvalidInput` naming the key and the field that are wrong."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("keys"), list):
        raise InvalidInput("keys", None, f"{path.name} needs a list under `keys`.")
    kinds: dict[str, KeyKind] = {}
    for rank, given in enumerate(content["keys"]):
        kind = _kind(given, rank)
        if kind.name in kinds:
            raise InvalidInput(f"keys[{rank}].kind", kind.name, "Declare each kind once.")
        kinds[kind.name] = kind
    nobody = content.get("nobody", [])
    if not isinstance(nobody, list) or not all(isinstance(value, str) for value in nobody):
        raise InvalidInput("nobody", nobody, "Write a list of texts.")
    return KeyRules(kinds, frozenset(value.lower() for value in nobody))


def _kind(given: Any, rank: int) -> KeyKind:
    where = f"keys[{rank}]"
    if not isinstance(given, dict):
        raise InvalidInput(where, given, "Write kind, label, one_each and normalise.")
    if unknown := sorted(set(given) - _FIELDS):
        raise InvalidInput(where, unknown[0], f"Use {', '.join(sorted(_FIELDS))}.")
    name, normal = given.get("kind"), given.get("normalise", "trim")
    if not isinstance(name, str) or not _KIND.fullmatch(name):
        raise InvalidInput(f"{where}.kind", name, "Use lower-case letters, digits and underscores.")
    if normal not in get_args(Normal):
        raise InvalidInput(f"{where}.normalise", normal, f"Use one of {', '.join(get_args(Normal))}.")
    if not isinstance(given.get("one_each", False), bool):
        raise InvalidInput(f"{where}.one_each", given["one_each"], "Use true or false.")
    return KeyKind(name, str(given.get("label", name)), rank, bool(given.get("one_each")), normal)


class KeyHasher:
    """Hashes (kind, value) with a secret: keyed BLAKE2b, 128 bits, as 32 hex digits."""

    def __init__(self, secret: bytes, rules: KeyRules | None = None) -> None:
        if len(secret) < 16:
            raise InvalidInput("secret", "(hidden)", "The secret for keys needs at least 16 bytes.")
        self.rules = declared_rules() if rules is None else rules
        self._key = hashlib.blake2b(secret, person=b"sr-identity").digest()

    def hashes(
        self, kinds: pa.Array | pa.ChunkedArray, values: pa.Array | pa.ChunkedArray
    ) -> list[str | None]:
        """One hash a pair, in their order; spellings that mean the same get the same hash.

        None for what names nobody: an undeclared kind, an empty value, a placeholder such as `n/a`.
        """
        spelled = self._normal(kinds, values)
        nobody = pa.array(["", *self.rules.nobody], pa.string())
        declared = pc.is_in(kinds, pa.array(list(self.rules.kinds), pa.string()))
        usable = pc.and_not(declared, pc.is_in(pc.utf8_lower(spelled), nobody))
        texts = pc.binary_join_element_wise(kinds, spelled, "\x1f").cast(pa.binary()).to_pylist()
        key, digest = self._key, hashlib.blake2b
        found = [digest(text, key=key, digest_size=16).hexdigest() for text in texts]
        if pc.all(usable).as_py() is not False:
            return list[str | None](found)
        return [one if known else None for one, known in zip(found, usable.to_pylist(), strict=True)]

    def _normal(self, kinds: pa.Array, values: pa.Array) -> pa.Array:
        values = pc.utf8_normalize(values, form="NFKC")
        if not pc.all(pc.string_is_ascii(values)).as_py():
            values = pc.replace_substring_regex(values, pattern=_UNSEEN, replacement="")
        values = pc.utf8_trim_whitespace(values)
        for name, change in (("lower", pc.utf8_lower), ("digits", _digits)):
            names = [kind.name for kind in self.rules.kinds.values() if kind.normalise == name]
            chosen = pc.is_in(kinds, pa.array(names, pa.string()))
            if pc.any(chosen).as_py():
                values = pc.if_else(chosen, change(values), values)
        return values


def _digits(values: pa.Array) -> pa.Array:
    """00351 21 123 and +351-21-123 are one telephone number."""
    bare = pc.replace_substring_regex(values, pattern=r"[^0-9+]", replacement="")
    return pc.replace_substring_regex(bare, pattern=r"^(\+|00)", replacement="")
