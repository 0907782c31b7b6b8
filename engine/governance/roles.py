"""Roles and the one table of what each may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from smart_reach.engine.errors import Forbidden

Role = Literal["marketer", "manager", "evaluator", "admin", "system"]
ROLES: tuple[Role, ...] = ("marketer", "manager", "evaluator", "admin", "system")

PERMISSIONS: dict[str, frozenset[str]] = {
    "insight.read": frozenset({"marketer", "manager", "evaluator", "admin"}),
    "proposal.create": frozenset({"marketer", "manager", "admin", "system"}),
    "proposal.edit": frozenset({"marketer", "manager", "admin"}),
    "proposal.approve": frozenset({"manager", "admin"}),
    "proposal.reject": frozenset({"manager", "admin"}),
    "experiment.rollback": frozenset({"manager", "admin"}),
    "eval.run": frozenset({"evaluator", "admin"}),
    "ledger.verify": frozenset({"manager", "evaluator", "admin"}),
    "demo.advance": frozenset({"marketer", "manager", "evaluator", "admin"}),
    "events.write": frozenset({"manager", "admin", "system"}),
    "data.read": frozenset({"marketer", "manager", "evaluator", "admin"}),
    "data.mend": frozenset({"manager", "admin"}),
    "identity.decide": frozenset({"manager", "admin"}),
    "privacy.export": frozenset({"admin"}),
    "privacy.forget": frozenset({"admin"}),
    "user.manage": frozenset({"admin"}),
}


class ActorLike(Protocol):
    """Anybody who acts: a signed-in user or the system itself."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


@dataclass(frozen=True)
class Actor:
    """Who does something."""

    id: str
    name: str
    role: str


def system_actor(name: str) -> Actor:
    """An agent or a background job; it may propose and never approves."""
    return Actor(f"system:{name.lower().replace(' ', '-')}", name, "system")


def allowed(actor: ActorLike, permission: str) -> bool:
    """Whether the actor's role holds the permission. An unknown permission is a mistake in the code."""
    return actor.role in PERMISSIONS[permission]


def require(actor: ActorLike, permission: str) -> None:
    """Raise `Forbidden`, naming who could do it, unless the actor may."""
    if not allowed(actor, permission):
        holders = ", ".join(role for role in ROLES if role in PERMISSIONS[permission])
        raise Forbidden(
            f"{actor.name} is {actor.role}; {permission} is for {holders}.",
            hint=f"Ask somebody with one of these roles: {holders}.",
        )
