"""Parsing of the Studio's form; the operations validate it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, QueryDict

from editor.catalog.matching import FORMAT
from editor.errors import InvalidInput
from editor.media.limits import MAX_BYTES
from editor.models import Workspace
from editor.operations.jobs import NewEdit
from editor.queries import pricing
from editor.queries.pricing import Choice
from editor.web.forms.model_inputs import MATCH


@dataclass(frozen=True, slots=True)
class StudioForm:
    """The Studio's fields, by their names on the page."""

    choice: Choice
    inputs: Mapping[str, str]
    match_format: bool
    prompt: str
    image_ids: tuple[str, ...]
    style_id: str
    character_id: str
    idempotency_key: str

    def as_edit(self, *, mask: bytes | None) -> NewEdit:
        return NewEdit(
            prompt=self.prompt,
            model="" if self.choice.tier else self.choice.model.id,
            tier=self.choice.tier,
            provider=self.choice.provider,
            image_ids=self.image_ids,
            mask=mask,
            inputs=self.inputs,
            match_format=self.match_format,
            style_id=self.style_id or None,
            character_id=self.character_id or None,
            idempotency_key=self.idempotency_key or None,
        )


def read(data: QueryDict, *, workspace: Workspace) -> StudioForm:
    """The submitted fields. Raises InvalidInput or Unprocessable as `pricing.choose` does."""
    choice = pricing.choose(
        workspace=workspace,
        model=data.get("model", ""),
        tier=data.get("tier", ""),
        provider=data.get("provider") or pricing.PLATFORM,
    )
    key = data.get("idempotency_key", "")
    if len(key) > 80 or not key.isprintable():
        raise InvalidInput("This page is out of date; reload it and try again.")
    return StudioForm(
        choice=choice,
        inputs={
            option.name: data.get(option.name, "")
            for option in choice.model.options
            if option.name in data and not (option.name == FORMAT and data[FORMAT] == MATCH)
        },
        match_format=data.get(FORMAT, MATCH) == MATCH,
        prompt=data.get("prompt", ""),
        image_ids=tuple(data.getlist("images")),
        style_id=_chosen(data.get("style", "")),
        character_id=_chosen(data.get("character", "")),
        idempotency_key=key,
    )


def _chosen(value: str) -> str:
    return "" if value == "none" else value


def read_mask(request: HttpRequest) -> bytes | None:
    """The painted mask, if any. Raises InvalidInput if it is too large."""
    file = request.FILES.get("mask")
    if file is None or not file.size:
        return None
    if file.size > MAX_BYTES:
        raise InvalidInput("The mask is too large.")
    content: bytes = file.read()
    return content
