"""Kafka (IBM Event Streams) as a source: a consumer group whose positions are kept in the lake.

Offsets are committed to the broker only for lag tools; where to read from is asked of the lake whenever
partitions are assigned. Partition names in the lake: `topic/number`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Container, Mapping, Sequence
from typing import Any

from smart_reach.engine.errors import Unavailable
from smart_reach.engine.events.sources.kafka_places import Gathered, name_of, partition_of
from smart_reach.engine.events.sources.kafka_settings import KafkaSettings
from smart_reach.engine.events.sources.source import Batch, PartitionStatus, Resume

_MOST_BYTES = 24 << 20  # a batch's lines; what the client reads ahead is bounded in its own settings
_FIRST_CHUNK, _MOST_CHUNK = 200, 1_000
_ASK_S = 5.0

log = logging.getLogger(__name__)


class KafkaSource:
    """Reads every topic of the settings; `group=None` reads all partitions without a group."""

    kind = "kafka"

    def __init__(self, settings: KafkaSettings, *, name: str = "kafka") -> None:
        self.name = name
        self._settings = settings
        self._consumer: Any = None
        self._resume: Resume = dict
        self._lock = threading.Lock()
        self._sealed: dict[str, int] = {}  # what the lake holds, as far as this source has been told
        self._next: dict[str, int] = {}  # assigned partitions and their next offset
        self._held = Gathered(settings.topics)
        self._trouble: str | None = None
        self._chunk = _FIRST_CHUNK
        self._moved = False  # partitions came or went during this poll

    def open(self, resume: Resume) -> None:
        from confluent_kafka import Consumer

        self.close()
        self._resume = resume
        self._consumer = Consumer(self._settings.client(self._note_trouble))
        if self._settings.group is None:
            self._assign(self._consumer, self._all_partitions())
        else:
            self._consumer.subscribe(
                list(self._settings.topics),
                on_assign=self._assign,
                on_revoke=self._revoke,
                on_lost=self._revoke,
            )

    def poll(self, limit: int, timeout_s: float) -> Batch | None:
        if self._settings.group is None and not self._next:
            self._assign(self._consumer, self._all_partitions())  # the topic was not there yet
        found = self._gather(limit, timeout_s)
        if not len(found):
            self._raise_if_down()
            self._look_for_new_topics()
            return None
        self._trouble = None
        places = found.places()
        after = places.after()
        with self._lock:
            start = {name: self._sealed[name] for name in after if name in self._sealed}
            self._sealed.update(after)
            self._next.update(after)
        self._look_for_gaps(start)
        return Batch(start, after, lines=found.lines, places=places)

    def rewind(self, positions: Mapping[str, int]) -> None:
        self._held = Gathered(self._settings.topics)
        self._stand(self._consumer, self._consumer.assignment(), positions)

    def sealed(self, positions: Mapping[str, int]) -> None:
        from confluent_kafka import KafkaException

        if self._settings.group is None:
            return
        with self._lock:
            offsets = [partition_of(name, at) for name, at in positions.items() if name in self._next]
        try:
            if offsets:
                self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:  # for lag tools only; the lake holds the truth
            self._note_trouble(error.args[0])

    def finished(self) -> bool:
        return False

    def status(self) -> list[PartitionStatus]:
        with self._lock:
            stand = sorted(self._next.items())
        found: list[PartitionStatus] = []
        for name, position in stand:
            end = self._bounds(name)[1]
            lag = None if end is None else max(0, end - position)
            found.append({"partition": name, "position": position, "end": end, "lag": lag})
        return found

    def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._held = Gathered(self._settings.topics)
        with self._lock:
            self._next = {}
        if consumer is not None:
            consumer.close()

    def _gather(self, limit: int, timeout_s: float) -> Gathered:
        """Records until the limit, the byte budget or the time is reached; errors are set aside."""
        deadline, size, self._moved = time.monotonic() + timeout_s, 0, False
        while len(self._held) < limit and size < _MOST_BYTES:
            wait = deadline - time.monotonic()
            if wait <= 0 and len(self._held):
                break
            got = self._consumer.consume(min(self._chunk, limit - len(self._held)), max(wait, 0.0))
            good = got
            if bad := [message for message in got if message.error() is not None]:
                self._note_trouble(bad[-1].error())
                good = [message for message in got if message.error() is None]
            size += self._measure(good)
            self._held.add(self._mine(good))
            if wait <= 0:
                break
        found, self._held = self._held, Gathered(self._settings.topics)
        return found

    def _mine(self, messages: list[Any]) -> list[Any]:
        """Without those of partitions that were taken away while they were read."""
        if not self._moved:
            return messages
        with self._lock:
            mine = set(self._next)
        return [message for message in messages if name_of(message.topic(), message.partition()) in mine]

    def _measure(self, messages: Sequence[Any]) -> int:
        """Bytes of these messages; large ones make the next read smaller, so that memory stays bounded."""
        if not messages:
            return 0
        sizes = list(map(len, messages))
        fits = _MOST_BYTES // 4 // max(1, max(sizes))
        self._chunk = max(1, min(_MOST_CHUNK, 4 * self._chunk, fits))
        return sum(sizes)

    def _all_partitions(self) -> list[Any]:
        from confluent_kafka import KafkaException, TopicPartition

        try:
            topics = self._consumer.list_topics(timeout=_ASK_S).topics
        except KafkaException as error:
            raise Unavailable(f"Kafka does not answer: {error.args[0].str()}") from error
        return [
            TopicPartition(name, number)
            for name in self._settings.topics
            for number in sorted(topics[name].partitions if name in topics else ())
        ]

    def _assign(self, consumer: Any, partitions: Sequence[Any]) -> None:
        """Called by the client in `poll`: every (re)assignment starts from what the lake holds."""
        self._held, self._moved = Gathered(self._settings.topics), True
        self._stand(consumer, partitions, self._resume())

    def _revoke(self, consumer: Any, partitions: Sequence[Any]) -> None:
        gone = {name_of(partition.topic, partition.partition) for partition in partitions}
        self._held = self._held.without(gone)
        self._moved = True
        with self._lock:
            for name in gone:
                self._next.pop(name, None)
                self._sealed.pop(name, None)

    def _stand(
        self, consumer: Any, partitions: Sequence[Any], at: Mapping[str, int], anew: Container[str] = ()
    ) -> None:
        """Read on from `at`; what is not there, or is in `anew`, from its beginning."""
        from confluent_kafka import OFFSET_BEGINNING

        names = [name_of(partition.topic, partition.partition) for partition in partitions]
        begin = {name: at[name] for name in names if name in at and name not in anew}
        # Assigning again drops what the client has read ahead; with a group it changes no membership.
        consumer.assign([partition_of(name, begin.get(name, OFFSET_BEGINNING)) for name in names])
        with self._lock:
            self._sealed = {name: at[name] for name in names if name in at}
            self._next = {name: begin.get(name, 0) for name in names}

    def _look_for_new_topics(self) -> None:
        """Nothing came: a partition that ends before where we stand was made anew, so read all of it.

        Kafka itself says so and the client starts again (`auto.offset.reset`); tansu says nothing. A topic
        made anew that has already grown past our position looks like the old one.
        """
        with self._lock:
            stand, sealed = dict(self._next), dict(self._sealed)
        anew = [name for name, at in stand.items() if (end := self._bounds(name)[1]) is not None and end < at]
        if anew:
            log.warning("%s ends before what was read of it: it is read from its beginning.", ", ".join(anew))
            self._stand(self._consumer, self._consumer.assignment(), sealed, anew)

    def _look_for_gaps(self, start: Mapping[str, int]) -> None:
        for name, at in start.items():
            low = self._bounds(name)[0]
            if low is not None and low > at:
                log.warning("%s: the broker has deleted %d to %d before they were read.", name, at, low - 1)

    def _bounds(self, name: str) -> tuple[int | None, int | None]:
        """First offset and end of a partition, as the client saw them last; None: not yet."""
        from confluent_kafka import KafkaException

        consumer = self._consumer
        if consumer is None:
            return None, None
        try:
            bounds = consumer.get_watermark_offsets(partition_of(name), cached=True)
        except (KafkaException, RuntimeError):  # not known, or closed meanwhile
            return None, None
        low, high = bounds or (-1, -1)
        return (None if low < 0 else int(low)), (None if high < 0 else int(high))

    def _note_trouble(self, error: Any) -> None:
        self._trouble = str(error.str())

    def _raise_if_down(self) -> None:
        """Nothing came and the client had complained: say so, unless the broker answers again."""
        from confluent_kafka import KafkaException

        if self._trouble is None:
            return
        trouble = self._trouble
        try:
            self._consumer.list_topics(timeout=1.0)
        except KafkaException as error:
            raise Unavailable(f"Kafka does not answer: {trouble}") from error
        self._trouble = None
