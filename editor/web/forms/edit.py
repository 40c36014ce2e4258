"""Parsing of the Studio's form; the operations validate it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, QueryDict

from editor.catalog import seeds
from editor.catalog.matching import FORMAT
from editor.errors import InvalidInput
from editor.media.limits import MAX_BYTES
from editor.models import Job, Workspace
from editor.operations.jobs import NewEdit
from editor.queries import pricing, usage_rules
from editor.queries.pricing import Choice
from editor.queries.usage_rules import Rules
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
    approval_message: str | None
    quote_id: str

    def as_edit(self, *, mask: bytes | None) -> NewEdit:
        """The edit to submit. An empty seed is drawn, so that it is known and can be repeated."""
        return NewEdit(
            prompt=self.prompt,
            model="" if self.choice.tier else self.choice.model.id,
            tier=self.choice.tier,
            provider=self.choice.provider,
            image_ids=self.image_ids,
            mask=mask,
            inputs=seeds.drawn_if_empty(self.choice.model, self.inputs),
            match_format=self.match_format,
            style_id=self.style_id or None,
            character_id=self.character_id or None,
            approval_message=self.approval_message,
            quote_id=self.quote_id or None,
            idempotency_key=_with_mask(self.idempotency_key, mask) or None,
        )


def read(data: QueryDict, *, workspace: Workspace, rules: Rules = usage_rules.NONE) -> StudioForm:
    """The submitted fields. Raises InvalidInput or Unprocessable as `pricing.choose` does.

    rules  those that bind the member
    """
    choice = pricing.choose(
        workspace=workspace,
        model=data.get("model", ""),
        tier=data.get("tier", ""),
        provider=data.get("provider") or pricing.PLATFORM,
        rules=rules,
    )
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
        idempotency_key=_key(data),
        approval_message=data.get("approval_message"),
        quote_id=data.get("quote", ""),
    )


def _key(data: QueryDict) -> str:
    """Identifies one press of Run with what the form contains; "" if the form has no key.

    Pressed again after a lost response it is the same edit, and with a changed prompt another one.
    """
    key = data.get("idempotency_key", "")
    if len(key) > 80 or not key.isprintable():
        raise InvalidInput("This page is out of date; reload it and try again.")
    fields = [(name, data.getlist(name)) for name in sorted(data) if name != "csrfmiddlewaretoken"]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest() if key else ""


def _with_mask(key: str, mask: bytes | None) -> str:
    return hashlib.sha256(key.encode() + mask).hexdigest() if key and mask else key


def of_job(job: Job) -> QueryDict:
    """The fields of an earlier edit, except its seed: the next edit is a variation."""
    data = QueryDict(mutable=True)
    data.update({name: "" if value is None else str(value) for name, value in job.inputs.items()})
    data.pop(seeds.SEED, None)
    data["prompt"] = job.prompt
    data["tier" if job.tier else "model"] = job.tier or job.model
    data["provider"] = job.provider if job.own_key else pricing.PLATFORM
    data["style"] = str(job.style_id or "")
    data["character"] = str(job.character_id or "")
    return data


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
