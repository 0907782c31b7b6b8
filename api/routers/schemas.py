"""The contracts of records: what to send, field by field, and as JSON Schema."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from smart_reach.api.sessions import signed_in
from smart_reach.engine.events.contracts.registry import (
    CONTRACTS,
    Contract,
    Field,
    json_schema,
    require_contract,
)

router = APIRouter(tags=["schemas"], dependencies=[Depends(signed_in)])


@router.get("/schemas")
def schemas() -> dict[str, Any]:
    """Every contract in its newest version, with an example."""
    return {"items": [_described(contract) for contract in CONTRACTS.values()]}


@router.get("/schemas/{name}")
def schema(name: str) -> JSONResponse:
    """One contract as JSON Schema, draft 2020-12."""
    return JSONResponse(json_schema(require_contract(name)), media_type="application/schema+json")


def _described(contract: Contract) -> dict[str, Any]:
    return {
        "name": contract.name,
        "version": contract.version,
        "title": contract.title,
        "description": contract.description,
        "kinds": list(contract.kinds),
        "fields": [_field(field) for field in contract.fields],
        "rules": [rule.remedy for rule in contract.rules],
        "example": contract.example,
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type,
        "required": field.required,
        "description": field.description,
        "enum": list(field.enum) or None,
        "max_length": field.max_length,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "personal": field.personal,
    }
