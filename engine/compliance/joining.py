"""Words that were taken apart ("g.u.a.r.a.n.t.e.e.d", "guaran-teed") made whole for claim patterns."""

from __future__ import annotations

import re
from functools import lru_cache

from smart_reach.engine.compliance.folding import Folded

# At least four letters that stand alone, one or two separators between them.
_APART = re.compile(r"(?<![a-z'])[a-z](?:[ .*_·|/~+,-]{1,2}[a-z](?![a-z'])){3,}")
_SEPARATOR = re.compile(r"[ .*_·|/~+,-]+")
_INSIDE = re.compile(r"(?<=[a-z])(?:-[ ]*\n\s*|[-._*·|/~+]+)(?=[a-z])")


@lru_cache(maxsize=1024)
def joined(folded: Folded) -> Folded | None:
    """The text without what stands inside its words; None when every word is whole already."""
    text = folded.text
    dropped = {at for hit in _INSIDE.finditer(text) for at in range(*hit.span())}
    for run in _APART.finditer(text):
        for hit in _SEPARATOR.finditer(text, *run.span()):
            dropped.update(range(*hit.span()))
    if not dropped:
        return None
    kept = [at for at in range(len(text)) if at not in dropped]
    return Folded(
        "".join(text[at] for at in kept),
        tuple(folded.starts[at] for at in kept),
        tuple(folded.ends[at] for at in kept),
        folded.oddities,
    )
