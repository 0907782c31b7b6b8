"""Where Kafka's messages stood: kept as numbers, put into words when needed."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smart_reach.engine.events.sources.source import Place

Numbers = NDArray[np.int64]


class Gathered:
    """What was read for one batch. The client's messages are let go at once: many of them alive at a time
    would keep the garbage collector busy for longer than all reading takes.
    """

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = tuple(topics)
        self._known = {topic: place for place, topic in enumerate(topics)}
        self._keys: list[Numbers] = [np.zeros(0, np.int64)]
        self._offsets: list[Numbers] = [np.zeros(0, np.int64)]
        self.lines: list[bytes] = []

    def __len__(self) -> int:
        return len(self.lines)

    def add(self, messages: Sequence[Any]) -> None:
        """Take over the content and place of these messages."""
        partition = np.array([message.partition() for message in messages], np.int64)
        topic: Any = 0
        if len(self._topics) > 1:
            topic = np.array([self._known[message.topic()] for message in messages], np.int64)
        self._keys.append(topic + len(self._topics) * partition)
        self._offsets.append(np.array([message.offset() for message in messages], np.int64))
        self.lines += [message.value() or b"" for message in messages]

    def without(self, gone: Container[str]) -> Gathered:
        """The same without some partitions."""
        places, rest = self.places(), Gathered(self._topics)
        kept = [row for row in range(len(self)) if places[row][0] not in gone]
        rest.lines = [self.lines[row] for row in kept]
        rest._keys, rest._offsets = [places.keys[kept]], [places.offsets[kept]]
        return rest

    def places(self) -> Places:
        """Where the lines stood."""
        return Places(self._topics, np.concatenate(self._keys), np.concatenate(self._offsets))


class Places(Sequence[Place]):
    """(partition, offset) of each line, put into words only when a record is refused."""

    def __init__(self, topics: Sequence[str], keys: Numbers, offsets: Numbers) -> None:
        self._topics, self.keys, self.offsets = topics, keys, offsets

    def after(self) -> dict[str, int]:
        """One after the last offset of each partition."""
        keys, last = np.unique(self.keys[::-1], return_index=True)
        ends = self.offsets[::-1][last] + 1
        return {self._partition(int(key)): int(end) for key, end in zip(keys, ends, strict=True)}

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[place] for place in range(*row.indices(len(self)))]
        return self._partition(int(self.keys[row])), str(self.offsets[row])

    def _partition(self, key: int) -> str:
        return name_of(self._topics[key % len(self._topics)], key // len(self._topics))


def name_of(topic: str, partition: int) -> str:
    """The partition's name in the lake."""
    return f"{topic}/{partition}"


def partition_of(name: str, offset: int = -1001) -> Any:
    """The client's object for a partition of this name."""
    from confluent_kafka import TopicPartition

    topic, _, number = name.rpartition("/")
    return TopicPartition(topic, int(number), offset)
