"""Handing messages to the connectors, many at once where the connector can."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from smart_reach.engine.delivery.messages import BatchConnector, Connector, OutgoingMessage, Receipt
from smart_reach.engine.errors import Unavailable

# Few enough that a hand-over ends long before the claim does.
MOST_AT_ONCE = 250


def send_all(
    connectors: Mapping[str, Connector],
    outgoing: Sequence[OutgoingMessage],
    deadline: float,
    probe: Callable[[str], None],
) -> dict[str, Receipt]:
    """Receipts of what was accepted. The rest stays `sending`, for whoever claims it next.

    Nothing is begun after `deadline` (monotonic seconds): the claim may end soon.
    """
    receipts: dict[str, Receipt] = {}
    for connector, messages in _hand_overs(connectors, outgoing):
        if time.monotonic() > deadline:
            break
        try:
            receipts |= _send(connector, messages)
        except Unavailable:
            continue
        probe("accepted")
    return receipts


def _hand_overs(
    connectors: Mapping[str, Connector], outgoing: Sequence[OutgoingMessage]
) -> Iterator[tuple[Connector, Sequence[OutgoingMessage]]]:
    for channel in sorted({message.channel for message in outgoing}):
        connector = connectors[channel]
        mine = [message for message in outgoing if message.channel == channel]
        size = MOST_AT_ONCE if isinstance(connector, BatchConnector) else 1
        for first in range(0, len(mine), size):
            yield connector, mine[first : first + size]


def _send(connector: Connector, messages: Sequence[OutgoingMessage]) -> Mapping[str, Receipt]:
    if isinstance(connector, BatchConnector):
        return connector.send_many(messages)
    return {message.message_id: connector.send(message) for message in messages}
