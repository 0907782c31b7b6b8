"""How to reach Kafka: `SMART_REACH_KAFKA*` from the environment, as settings of the client."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smart_reach.engine.errors import InvalidInput

_SECURITY = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True)
class KafkaSettings:
    """For IBM Event Streams: security SASL_SSL, user name `token`, the API key as password."""

    servers: str
    topics: tuple[str, ...] = ("smart-reach-events",)
    group: str | None = "smart-reach"
    security: str = "PLAINTEXT"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None

    def __post_init__(self) -> None:
        if self.security not in _SECURITY:
            raise InvalidInput("SMART_REACH_KAFKA_SECURITY", self.security, f"Use one of {_SECURITY}.")
        if self.security.startswith("SASL") and not (self.username and self.password):
            remedy = "SASL needs SMART_REACH_KAFKA_USERNAME and _PASSWORD (Event Streams: token, API key)."
            raise InvalidInput("SMART_REACH_KAFKA_PASSWORD", None, remedy)
        if not self.topics:
            raise InvalidInput("SMART_REACH_KAFKA_TOPICS", None, "Name topics, separated by commas.")

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> KafkaSettings | None:
        """The settings, or None when `SMART_REACH_KAFKA` (bootstrap servers) is not set."""
        env = os.environ if env is None else env
        servers = env.get("SMART_REACH_KAFKA")
        if not servers:
            return None
        username = env.get("SMART_REACH_KAFKA_USERNAME") or None
        topics = env.get("SMART_REACH_KAFKA_TOPICS") or "smart-reach-events"
        return cls(
            servers=servers,
            topics=tuple(topic.strip() for topic in topics.split(",") if topic.strip()),
            group=env.get("SMART_REACH_KAFKA_GROUP") or "smart-reach",
            security=(
                env.get("SMART_REACH_KAFKA_SECURITY") or ("SASL_SSL" if username else "PLAINTEXT")
            ).upper(),
            username=username,
            password=env.get("SMART_REACH_KAFKA_PASSWORD") or None,
            ca=env.get("SMART_REACH_KAFKA_CA") or None,
        )

    def client(self, on_error: Callable[[Any], None]) -> dict[str, Any]:
        """librdkafka's settings. What it reads ahead stays under 48 MB; a dead member is replaced in 6 s."""
        settings: dict[str, Any] = {
            "bootstrap.servers": self.servers,
            "group.id": self.group or "smart-reach-alone",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6000,
            "queued.max.messages.kbytes": 48 << 10,
            "fetch.message.max.bytes": 8 << 20,
            "fetch.wait.max.ms": 100,
            "reconnect.backoff.max.ms": 2000,
            "topic.metadata.refresh.interval.ms": 2000,  # else a topic made later is found after minutes
            "security.protocol": self.security,
            "error_cb": on_error,
            "log_level": 0,
        }
        if self.security.startswith("SASL"):
            settings |= {"sasl.mechanism": "PLAIN", "sasl.username": self.username}
            settings["sasl.password"] = self.password
        if self.ca:
            settings["ssl.ca.location"] = self.ca
        return settings
