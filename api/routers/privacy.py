"""A person's rights: erasure and access, for administrators."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from smart_reach.api.sessions import CockpitOf, SignedIn
from smart_reach.engine.errors import InvalidInput
from smart_reach.engine.governance.roles import require
from smart_reach.engine.privacy.export import export
from smart_reach.engine.privacy.forget import forget as forget_person

router = APIRouter(prefix="/customers", tags=["privacy"])


class Confirmation(BaseModel):
    """`confirm`: the customer's id once more, because it cannot be undone."""

    model_config = ConfigDict(extra="forbid")

    confirm: str = Field(min_length=1, max_length=128)


@router.post("/{customer_id}/forget")
def forget(customer_id: str, answer: Confirmation, user: SignedIn, cockpit: CockpitOf) -> dict[str, Any]:
    """Erase everything about a person; the receipt says what was erased and what stays."""
    require(user, "privacy.forget")
    if answer.confirm != customer_id:
        raise InvalidInput("confirm", answer.confirm, "Send the customer's id.")
    return forget_person(cockpit.workspace, customer_id, actor=user.id).as_json()


@router.get("/{customer_id}/export")
def everything(customer_id: str, user: SignedIn, cockpit: CockpitOf, response: Response) -> dict[str, Any]:
    """Everything that is held about a person, as a file."""
    require(user, "privacy.export")
    found = export(cockpit.workspace, customer_id, actor=user.id)
    response.headers["content-disposition"] = 'attachment; filename="export.json"'
    response.headers["cache-control"] = "no-store"
    return found
