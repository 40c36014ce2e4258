"""Models, styles and characters for edits. All of them are additions."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from editor.api import rows, schemas
from editor.api.authentication import READ
from editor.api.schemas import errors
from editor.concurrency.threads import in_thread
from editor.gateway.requests import caller
from editor.queries import pricing, studio

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
    offered = await in_thread(pricing.offer, workspace=caller(request).actor.workspace)
    return Status(200, schemas.ModelsOut(data=rows.models(offered)))


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
