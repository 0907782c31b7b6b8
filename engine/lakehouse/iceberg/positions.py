"""Where each source was read to: sealed in the summary of the snapshot that holds its events."""

from __future__ import annotations

import json
from collections.abc import Mapping

from smart_reach.engine.errors import Integrity, InvalidInput

KEY = "smart-reach.positions"
KEPT_FILES = 500

Positions = dict[str, dict[str, int]]

_FILE = "file:"  # how file sources are named, with the digest of what they hold


def parse(summary: Mapping[str, str] | None) -> Positions:
    """The positions of one snapshot: {source: {partition: next position}}."""
    text = None if summary is None else summary.get(KEY)
    if not text:
        return {}
    try:
        found: Positions = json.loads(text)
    except ValueError as error:
        raise Integrity("A snapshot's positions are not JSON; its sources cannot resume.") from error
    return found


def merge(old: Positions, new: Mapping[str, Mapping[str, int]]) -> Positions:
    """`old` with what `new` says; what was moved last stands last. Old finished files are left out.

    Only sources that are files are ever forgotten: a topic that is quiet for a year keeps its place.
    """
    merged = {source: dict(partitions) for source, partitions in old.items()}
    for source, partitions in new.items():
        kept = merged.pop(source, {})
        for partition, position in partitions.items():
            _check(source, partition, position)
            kept.pop(partition, None)
            kept[partition] = int(position)
        merged[source] = kept
    return _without_old_files(merged)


def text(positions: Positions) -> str:
    """The JSON kept in the summary; the order of moving is kept."""
    return json.dumps(positions, separators=(",", ":"))


def _without_old_files(positions: Positions) -> Positions:
    files = [source for source in positions if source.startswith(_FILE)]
    old = set(files[:-KEPT_FILES])
    return {
        source: partitions for source, partitions in positions.items() if partitions and source not in old
    }


def _check(source: str, partition: str, position: object) -> None:
    if isinstance(position, bool) or not isinstance(position, int) or position < 0:
        raise InvalidInput(f"position of {source}/{partition}", position, "Use a whole number from 0.")
