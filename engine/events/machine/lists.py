"""The lists of programs and networks that open and click for people; the data is in lists.yaml."""

from __future__ import annotations

import bisect
import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

_FILE: Final = Path(__file__).with_name("lists.yaml")
AGENTS: Final = ("scanner", "prefetch", "proxy")
NETWORKS: Final = ("scanner", "cloud")


@dataclass(frozen=True)
class _Ranges:
    """Ranges of addresses of one version, sorted and apart from each other."""

    starts: list[int]
    ends: list[int]
    classes: list[str]

    def find(self, address: int) -> str | None:
        place = bisect.bisect_right(self.starts, address) - 1
        return self.classes[place] if place >= 0 and address <= self.ends[place] else None


@lru_cache(maxsize=1 << 16)
def agent_class(agent: str) -> str | None:
    """scanner, prefetch or proxy; None for what a person uses."""
    text = agent.strip().lower()
    for name, has, same in _agents():
        if text == same or (has is not None and has in text):
            return name
    return None


@lru_cache(maxsize=1 << 16)
def network_class(network: str) -> str | None:
    """scanner or cloud, by where a network (203.0.113.0/24) or an address begins."""
    try:
        address = ipaddress.ip_address(network.split("/", 1)[0])
    except ValueError:
        return None
    return _ranges()[address.version].find(int(address))


@lru_cache(maxsize=1)
def _lists() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
    return content


@lru_cache(maxsize=1)
def _agents() -> list[tuple[str, str | None, str | None]]:
    given = _lists()["agents"]
    return [(name, entry.get("has"), entry.get("is")) for name in AGENTS for entry in given[name]]


@lru_cache(maxsize=1)
def _ranges() -> dict[int, _Ranges]:
    found: dict[int, list[tuple[int, int, str]]] = {4: [], 6: []}
    for name in NETWORKS:
        for entry in _lists()["networks"][name]:
            block = ipaddress.ip_network(entry["cidr"])
            found[block.version].append((int(block[0]), int(block[-1]), name))
    return {
        version: _Ranges(*(list(part) for part in zip(*sorted(rows), strict=True)))
        for version, rows in found.items()
    }
