"""Splits a request into the things it asks for: grammar only, no guess at their meaning."""

from __future__ import annotations

import re
from typing import Final

_QUOTED: Final = re.compile(r"[\"“”«»]([^\"“”«»]+)[\"“”«»]")
_SINGLE: Final = re.compile(r"(?<!\w)['‘](.+)['’](?!\w)", re.DOTALL)
# After a colon the outermost quotes hold the copy, whatever marks stand inside it.
_AFTER_COLON: Final = re.compile(r":\s*(?:\"([^\"]+)\"|“(.+)”|«(.+)»|['‘](.+)['’])\W*$", re.DOTALL)
_CHECKED: Final = re.compile(
    r"^\W*(?:(?:please|can you|could you|would you|now|and)\s+)*"
    r"(?:check|review|vet|verify|validate|screen)\b",
    re.IGNORECASE,
)
_STRONG: Final = re.compile(
    r"(?<=[.!?;])\s+|\n+|;\s*|,?\s+(?:and\s+)?(?:then|afterwards|after that|finally)\s+,?"
)
_WEAK: Final = re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*|\s+plus\s+")
_POLITE: Final = re.compile(
    r"^(?:(?:and|then|also|so|ok|okay|now|next|finally|first|firstly|second|third|hey|hi|hello|please|pls|just|kindly|"
    r"to|could you|can you|can u|could u|would you|will you|let's|lets|let us|i want to|i'd like to|"
    r"i would like to|i need to|we need to|we want to|i want you to|i'd like you to|help me)\b[\s,:]*)+",
    re.IGNORECASE,
)
_VERBS: Final = frozenset(
    [
        "analyse",
        "analyze",
        "approve",
        "ask",
        "assess",
        "audit",
        "break",
        "build",
        "calculate",
        "check",
        "choose",
        "clear",
        "compare",
        "compose",
        "compute",
        "come",
        "confirm",
        "count",
        "create",
        "decide",
        "declare",
        "define",
        "describe",
        "design",
        "detect",
        "determine",
        "do",
        "draft",
        "draw",
        "estimate",
        "evaluate",
        "experiment",
        "explain",
        "export",
        "fetch",
        "figure",
        "find",
        "flag",
        "forecast",
        "generate",
        "get",
        "give",
        "identify",
        "improve",
        "inspect",
        "judge",
        "launch",
        "list",
        "look",
        "make",
        "measure",
        "name",
        "offer",
        "optimise",
        "optimize",
        "pick",
        "pinpoint",
        "plan",
        "plot",
        "post",
        "predict",
        "prepare",
        "present",
        "pretest",
        "prioritise",
        "prioritize",
        "produce",
        "promote",
        "propose",
        "prove",
        "provide",
        "pull",
        "push",
        "put",
        "randomise",
        "rank",
        "recommend",
        "report",
        "review",
        "rewrite",
        "roll",
        "run",
        "say",
        "schedule",
        "score",
        "screen",
        "select",
        "send",
        "set",
        "shorten",
        "show",
        "size",
        "split",
        "start",
        "stop",
        "suggest",
        "summarise",
        "summarize",
        "target",
        "tell",
        "test",
        "top",
        "translate",
        "trial",
        "try",
        "validate",
        "verify",
        "vet",
        "work",
        "write",
    ]
)
_QUESTION: Final = re.compile(
    r"^(?:what|which|who|whom|whose|how|why|when|where|is|are|was|were|do|does|did|can|could|may|should|must|"
    r"has|have|will|would)\b",
    re.IGNORECASE,
)


def requests_in(text: str) -> list[str]:
    """The clauses that ask for something, in order; quoted copy is never split.

    "Find who is slipping, propose an action and write the push" has three; "clicks by offer and channel"
    has none of its own beyond the first words, so the whole stays together.
    """
    masked, quotes = _mask(text)
    clauses: list[str] = []
    for part in (part for part in _STRONG.split(masked) if part.strip()):
        clauses.extend(_asks(part))
    return [_unmask(clause, quotes) for clause in clauses]


def _asks(sentence: str) -> list[str]:
    """Requests inside one sentence: a weak separator counts only before a verb that orders something."""
    pieces = [piece.strip() for piece in _WEAK.split(sentence) if piece.strip()]
    found: list[str] = []
    for piece in pieces:
        if _orders(piece) and (len(piece.split()) > 1 or not found):
            found.append(_POLITE.sub("", piece))
        elif found:
            found[-1] = f"{found[-1]}, {piece}"
        elif _QUESTION.match(_POLITE.sub("", piece)):
            found.append(piece)
    return found


def _orders(piece: str) -> bool:
    words = _POLITE.sub("", piece).split()
    return bool(words) and words[0].lower().strip(",.:;!?") in _VERBS


def _mask(text: str) -> tuple[str, list[str]]:
    quotes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        quotes.append(match.group(0))
        return f"\x00{len(quotes) - 1}\x00"

    return _QUOTED.sub(hide, text), quotes


def _unmask(clause: str, quotes: list[str]) -> str:
    return re.sub(r"\x00(\d+)\x00", lambda match: quotes[int(match.group(1))], clause).strip()


def quoted(text: str) -> str | None:
    """The copy that a text quotes: what follows a colon to the end, else the longest quoted span; or None."""
    if whole := _AFTER_COLON.search(text):
        return next(part for part in whole.groups() if part).strip()
    spans = [match.group(1).strip() for match in _QUOTED.finditer(text)]
    spans = spans or [match.group(1).strip() for match in _SINGLE.finditer(text)]
    return max(spans, key=len) if spans else None


def outside_quotes(text: str) -> str:
    """The user's own words, without the copy that they quote."""
    copy = quoted(text)
    return text.replace(copy, " ") if copy else text


def asks_for_check(text: str) -> bool:
    """Whether a text orders a check and quotes the copy to check."""
    return bool(_CHECKED.match(text)) and quoted(text) is not None
