"""A real broker for these tests, and help to make records and read the lake."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from smart_reach.engine.events.sources.kafka import KafkaSource
from smart_reach.engine.events.sources.kafka_settings import KafkaSettings
from tests.broker import Broker, running

_topics = itertools.count(1)


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    with running() as started:
        yield started


@pytest.fixture
def topic(broker: Broker) -> str:
    """A new topic of three partitions."""
    return broker.topic(f"events-{next(_topics)}")


@pytest.fixture
def kafka(broker: Broker, topic: str) -> Callable[..., KafkaSource]:
    """Makes sources that read the topic without a group (a group takes three seconds to form)."""

    def make(group: str | None = None) -> KafkaSource:
        return KafkaSource(KafkaSettings(broker.servers, (topic,), group))

    return make
