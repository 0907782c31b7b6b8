"""Numbers written as words."""

from __future__ import annotations

import re
from typing import Final

from smart_reach.engine.english import SMALL_NUMBERS

_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fourty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_VALUES: Final = {
    **{word: float(value) for value, word in enumerate(SMALL_NUMBERS)},
    **{word: float(value) for word, value in _TENS.items()},
    "nil": 0.0,
    "nought": 0.0,
    "dozen": 12.0,
}
_SCALES = {"hundred": 100.0, "thousand": 1e3, "million": 1e6, "billion": 1e9}
# Words that state a quantity whose value depends on something else.
_RELATIVE = (
    "half|halve[sd]?|three-quarters?|quarters? of|double[sd]?|doubling|triple[sd]?|tripling|treble[sd]?"
    "|quadruple[sd]?|twice|thrice|twofold|threefold|fourfold|fivefold|tenfold|hundredfold"
    r"|(?<!each )(?<!every )(?<!per )quarters?|(?:an?|one|by an?|two|three|four)[ -](?:thirds?|fifths?"
    r"|sixths?|sevenths?|eighths?|ninths?|tenths?|twentieths?|hundredths?)(?![ -]part)"
    "|grand|fivers?|tenners?|bucks?|quids?|a couple of|a score of|a fortune"
)
_PLURALS = "tens of|dozens|hundreds|thousands|millions|billions"

# Longest first, so that "fourteen" is not read as "four".
NUMBER_WORD: Final = "|".join(
    [_RELATIVE, _PLURALS, *sorted([*_VALUES, *_SCALES], key=lambda word: (-len(word), word))]
)
ORDINALS: Final = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth"


def value_of_words(text: str) -> float | None:
    """ "nineteen point nine" is 19.9; None when a word has no value of its own ("half", "thousands")."""
    whole, _, fraction = text.partition("point")
    total = 0.0
    current = 0.0
    for word in re.split(r"[ -]+", whole.strip(" -")):
        if word == "and":
            continue
        if word in _VALUES:
            current += _VALUES[word]
        elif word == "hundred":
            current = max(current, 1.0) * 100
        elif word in _SCALES:
            total += max(current, 1.0) * _SCALES[word]
            current = 0.0
        else:
            return None
    digits = [str(int(_VALUES[word])) for word in re.split(r"[ -]+", fraction.strip(" -")) if word in _VALUES]
    return round(total + current + (float(f"0.{''.join(digits)}") if digits else 0.0), 6)
