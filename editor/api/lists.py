"""Models, styles and characters for edits. All of them are additions."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from editor.access.actor import Actor
from editor.api import list_schemas as schemas
from editor.api import rows
from editor.api.authentication import READ
from editor.api.schemas import errors
from editor.concurrency.threads import in_thread
from editor.gateway.requests import caller
from editor.queries import credits, limits, pricing, studio, usage_rules
from editor.queries.pricing import Offer

router = Router()


@router.get(
    "/models",
    response={200: schemas.ModelsOut} | errors(),
    auth=READ,
    operation_id="models",
    summary="List models",
    tags=["Catalogue"],
)
async def list_models(request: HttpRequest) -> Any:
    """Lists all models, with their inputs and prices."""
    offered = await in_thread(_offer, caller(request).actor)
    return Status(200, schemas.ModelsOut(data=rows.models(offered)))


def _offer(actor: Actor) -> Offer:
    return pricing.offer(workspace=actor.workspace, rules=usage_rules.of(actor))


@router.get(
    "/limits",
    response={200: schemas.LimitsOut} | errors(),
    auth=READ,
    operation_id="limits",
    summary="Show limits",
    tags=["Edits"],
)
async def show_limits(request: HttpRequest) -> Any:
    """Returns what can be spent with this key, when that resets, and which models may be used."""
    return Status(200, schemas.LimitsOut(data=await in_thread(_limits, caller(request).actor)))


def _limits(actor: Actor) -> schemas.Limits:
    offered = _offer(actor)
    return schemas.Limits(
        available_credits=credits.account(actor.workspace).balance,
        time_zone=actor.workspace.time_zone,
        limits=[
            schemas.Limit(
                limit=one.kind,
                allowed=one.allowed,
                used=one.used,
                remaining=one.remaining,
                resets_at=one.resets_at,
            )
            for one in limits.of(actor)
        ],
        suspended=actor.workspace.suspended_at is not None,
        models=[name for name, one in offered.models.items() if one and not one.refusal],
        model_tiers=[name for name, one in offered.tiers.items() if one and not one.refusal],
    )


@router.get(
    "/styles",
    response={200: schemas.PresetsOut} | errors(),
    auth=READ,
    operation_id="styles",
    summary="List styles",
    tags=["Catalogue"],
)
async def list_styles(request: HttpRequest) -> Any:
    """Lists the styles that this workspace can use: its own and the system styles."""
    found = await in_thread(studio.styles, caller(request).actor.workspace)
    data = [
        schemas.Preset(id=style.id, name=style.name, scope="workspace" if style.workspace_id else "system")
        for style in found
    ]
    return Status(200, schemas.PresetsOut(data=data))


@router.get(
    "/characters",
    response={200: schemas.PresetsOut} | errors(),
    auth=READ,
    operation_id="characters",
    summary="List characters",
    tags=["Catalogue"],
)
async def list_characters(request: HttpRequest) -> Any:
    """Lists the workspace's characters."""
    found = await in_thread(studio.characters, caller(request).actor.workspace)
    data = [schemas.Preset(id=one.id, name=one.name, scope="workspace") for one in found]
    return Status(200, schemas.PresetsOut(data=data))
