"""More ways to say each training request: a scene before it, a courtesy around it, typing errors in it.

Neutral frames teach the classifier that they mean nothing; slips of the finger that letters may lie.
Every choice is drawn from a seeded generator, so that training gives the same weights each time.
"""

from __future__ import annotations

import random

from smart_reach.agents.language.routing.corpus import Utterance

_BEFORE = (
    "Hi! {}",
    "Hello team, {}",
    "Good morning. {}",
    "Hey there, {}",
    "Please {}",
    "Quick question: {}",
    "I have a meeting in an hour. {}",
    "We are preparing the Monday review. {}",
    "My manager asked me this. {}",
    "I've been thinking about the autumn plan. {}",
    "Sorry to bother you again. {}",
    "One more thing: {}",
    "This is for the steering committee. {}",
    "We're short on time this week. {}",
    "ok, {}",
    "so {}",
    "and {}",
    "Could you help me with this? {}",
    "I'm new in the team. {}",
    "As discussed yesterday, {}",
    "hmm {}",
    "It's my first campaign here and I want to get it right. {}",
    "Ana from marketing wants to know: {}",
    "I'm not sure I ask the right person. {}",
    "Two things on my list today. First: {}",
    "Right. {}",
)
_AFTER = (
    "{} Thanks!",
    "{} please",
    "{} asap",
    "{} It's urgent.",
    "{} Take your time.",
    "{} thx",
    "{} - cheers, Maya",
    "{} I need it before lunch.",
    "{} That would help a lot.",
    "{} My boss is waiting.",
    "{} if possible",
    "{} for the demo bank",
    "{} for our bank",
    "{} pls",
    "{} Keep it brief.",
    "{} ok?",
)
_KEYS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "k": "jl", "l": "ko", "m": "n", "n": "bm", "o": "ip", "p": "ol", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "y": "tu",
}  # fmt: skip


def augmented(rows: list[Utterance], *, seed: int = 11) -> list[Utterance]:
    """The rows, then one framed and one mistyped form of each."""
    chance = random.Random(seed)
    framed = [Utterance(_framed(row.text, chance), row.label, row.author) for row in rows]
    typed = [Utterance(_mistyped(row.text, chance), row.label, row.author) for row in rows]
    return [*rows, *framed, *typed]


def _framed(text: str, chance: random.Random) -> str:
    frame = chance.choice(_BEFORE if chance.random() < 0.65 else _AFTER)
    if frame in _AFTER and not text.endswith((".", "?", "!")) and frame[3:4].isupper():
        text += "."
    return frame.format(text)


def _mistyped(text: str, chance: random.Random) -> str:
    """One slip in about every fourth longer word; half the time all in lower case."""
    words = [_slip(word, chance) if chance.random() < 0.25 else word for word in text.split()]
    joined = " ".join(words)
    return joined.lower().rstrip("?.!") if chance.random() < 0.5 else joined


def _slip(word: str, chance: random.Random) -> str:
    if len(word) < 4 or not word.isalpha():
        return word
    place = chance.randrange(1, len(word) - 1)
    kind = chance.choice(("swap", "drop", "double", "neighbour"))
    if kind == "swap":
        return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    if kind == "drop":
        return word[:place] + word[place + 1 :]
    if kind == "double":
        return word[:place] + word[place] + word[place:]
    near = _KEYS.get(word[place].lower())
    return word if near is None else word[:place] + chance.choice(near) + word[place + 1 :]
