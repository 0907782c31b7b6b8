"""What learning asks of other rooms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from smart_reach.engine.learning.judge import ArmOutcome


class OutcomeReader(Protocol):
    """Counts by arm for a campaign; exposures sent after `matured_before` have not had time to answer."""

    def __call__(self, campaign_id: str, metric: str, matured_before: datetime) -> Sequence[ArmOutcome]: ...


class Made(Protocol):
    """A proposal that was made."""

    @property
    def id(self) -> str: ...


class Proposer(Protocol):
    """Governance's proposal service, as much of it as a promotion needs."""

    def create_in(
        self,
        session: Session,
        kind: str,
        payload: Mapping[str, Any],
        author: Any,
        agent: str | None = None,
        thread_id: str | None = None,
        interrupt_id: str | None = None,
        *,
        dedup_key: str | None = None,
    ) -> Any: ...

    def announce(self, proposal: Any) -> None: ...


class Approved(Protocol):
    """The approved payload of a campaign."""

    @property
    def payload(self) -> dict[str, Any]: ...
    @property
    def payload_hash(self) -> str: ...


ApprovalReader = Callable[[Session, str], Approved | None]
Remaining = Callable[[Session, str], int]
Authorise = Callable[[Any, str], None]


@dataclass(frozen=True)
class Agent:
    """The author of promotions."""

    id: str = "system:experimentation-agent"
    name: str = "Experimentation agent"
    role: str = "system"
