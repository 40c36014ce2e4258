"""Translates BFL requests to edits, and new jobs to BFL responses. No HTTP requests, no database.

Models and their inputs come from the catalogue; BFL's names come from the adapter, which sends the
same fields to BFL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, create_model

from editor import catalog
from editor.catalog.types import Input, Model, Route
from editor.compat.bfl.errors import WrongFields, wrong
from editor.errors import InvalidInput
from editor.gateway import strict_json
from editor.media.inputs import ImageInput, from_text
from editor.models import Job
from editor.operations.intake import Submission, WrongImage
from editor.operations.jobs import NewEdit
from editor.operations.webhooks.callbacks import LONGEST_URL, Callback
from editor.providers.bfl.requests import MODELS

PROVIDER = "bfl"
LONGEST_IMAGE = 20 * 1024 * 1024  # characters of base64
LONGEST_SECRET = 1_000
LONGEST_ECHO = 100  # characters of a wrong value that is sent back
MEGAPIXEL = 1024 * 1024
KONTEXT = "flux-kontext-"
MASK = "mask"
SAFETY, MOST_PERMISSIVE = "safetyTolerance", 6  # its name in the catalogue, and BFL's highest level

_Image = Annotated[str, Field(max_length=LONGEST_IMAGE)]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of BFL's models that the catalogue has.

    images    names of the image fields, in order
    options   the catalogue's inputs by field name
    defaults  BFL's own, by field name, if the catalogue's may differ
    body      checks the types and the limits of a request's fields
    """

    model: Model
    route: Route
    images: tuple[str, ...]
    options: Mapping[str, Input]
    defaults: Mapping[str, object]
    body: type[BaseModel]


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A parsed request.

    edit    without its images
    images  by field name
    """

    edit: NewEdit
    images: dict[str, ImageInput]
    mask: ImageInput | None

    @property
    def submission(self) -> Submission:
        return Submission(edit=self.edit, images=tuple(self.images.values()), mask=self.mask)


def endpoint(target: str) -> Endpoint | None:
    """The endpoint with this path; None if the catalogue has no such model."""
    return _endpoints().get(target)


def read(endpoint: Endpoint, raw: bytes, *, origin: str) -> ParsedRequest:
    """Parse a request body. Slow with large images: not for the event loop. Raises WrongFields.

    origin  scheme and host at which the caller reaches this portal
    """
    values = _checked(endpoint, raw)
    images: dict[str, ImageInput] = {
        field: from_text(values[field]) for field in endpoint.images if values[field]
    }
    mask = from_text(values[MASK]) if values.get(MASK) else None
    url, secret = values["webhook_url"], values["webhook_secret"]
    edit = NewEdit(
        prompt=values["prompt"],
        model=endpoint.model.id,
        inputs=_inputs(endpoint, values),
        callback=Callback(url=url, secret=secret or "", origin=origin) if url else None,
    )
    return ParsedRequest(edit=edit, images=images, mask=mask)


def in_their_names(endpoint: Endpoint, error: InvalidInput) -> InvalidInput | WrongFields:
    """The same error, with BFL's field names."""
    if not error.fields:
        return error
    names = {item.name: field for field, item in endpoint.options.items()} | {"images": endpoint.images[0]}
    return WrongFields(
        [wrong(problem, "body", names.get(name, name)) for name, problem in error.fields.items()]
    )


def in_its_field(parsed: ParsedRequest, error: WrongImage) -> InvalidInput:
    """The same error, naming the field that contained the image."""
    field = MASK if error.index is None else list(parsed.images)[error.index]
    return InvalidInput(f"{field}: {error.message}")


def submitted(job: Job, *, input_pixels: int, polling_url: str) -> dict[str, Any]:
    """The response to a submit: with a webhook there is no polling URL."""
    width, height = (int(job.inputs.get(name) or 0) for name in ("width", "height"))
    rest = {
        "cost": job.price,
        "input_mp": _megapixels(input_pixels),
        "output_mp": _megapixels(width * height) if width and height else None,
    }
    if job.callback_url:
        return {"id": str(job.id), "status": "Pending", "webhook_url": job.callback_url, **rest}
    return {"id": str(job.id), "polling_url": polling_url, **rest}


def _megapixels(pixels: int) -> float:
    return round(pixels / MEGAPIXEL, 2)


@cache
def _endpoints() -> dict[str, Endpoint]:
    return {
        route.target: _endpoint(model, route)
        for model in catalog.catalog().models.values()
        for route in model.routes
        if route.provider == PROVIDER
    }


def _endpoint(model: Model, route: Route) -> Endpoint:
    wire = MODELS[route.target]
    options = {wire.fields[item.name]: item for item in model.options if item.name in wire.fields}
    fields: dict[str, Any] = {"prompt": (str, ...)}
    fields |= {field: (_type(item) | None, None) for field, item in options.items()}
    fields |= dict.fromkeys(wire.images, (_Image | None, None))
    if model.minimum_images:
        fields[wire.images[0]] = (_Image, ...)
    if route.mask:
        fields[MASK] = (_Image | None, None)
    fields["webhook_url"] = (Annotated[str, Field(min_length=1, max_length=LONGEST_URL)] | None, None)
    fields["webhook_secret"] = (Annotated[str, Field(max_length=LONGEST_SECRET)] | None, None)
    return Endpoint(
        model=model,
        route=route,
        images=wire.images,
        options=options,
        defaults=_defaults(route.target),
        body=create_model(route.target, **fields),
    )


def _defaults(target: str) -> dict[str, object]:
    """BFL's defaults. The catalogue's may differ: they fill a form, or are another provider's."""
    defaults: dict[str, object] = {"seed": None, "width": 0, "height": 0}
    defaults["output_format"] = "png" if target.startswith(KONTEXT) else "jpeg"
    if target == "flux-2-flex":
        defaults["guidance"] = 5.0
    return defaults


def _type(item: Input) -> Any:
    """The type of a field, with its limits."""
    if item.type == "select":
        values = [option.value for option in item.options if option.value]
        if set(values) == {"true", "false"}:
            return bool
        if item.name == SAFETY:
            levels = tuple(map(int, values))
            return Annotated[Literal[levels], BeforeValidator(partial(_no_more_permissive, levels))]
        return Literal[tuple(int(value) if value.isdecimal() else value for value in values)]
    if item.whole_number:
        # The catalogue decides whether 0 means "match the input".
        least = 0 if item.zero_allowed else int(item.minimum or 0)
        return Annotated[int, Field(ge=least, le=int(item.maximum or 0))]
    if item.type == "float":
        return Annotated[float, Field(ge=item.minimum, le=item.maximum)]
    return str


def _no_more_permissive(levels: tuple[int, ...], requested: object) -> object:
    """The nearest available moderation level that is at least as strict as the requested one."""
    if isinstance(requested, int) and not isinstance(requested, bool) and requested <= MOST_PERMISSIVE:
        return max((level for level in levels if level <= requested), default=requested)
    return requested


def _checked(endpoint: Endpoint, raw: bytes) -> dict[str, Any]:
    """The endpoint's fields in their types; None for those left out. Raises WrongFields."""
    try:
        values = strict_json.read_object(raw)
    except (ValueError, RecursionError):
        problem = {"type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error", "input": {}}
        context = {"error": "The body must be one JSON object in UTF-8 without duplicate names."}
        raise WrongFields([problem | {"ctx": context}]) from None
    try:
        return endpoint.body.model_validate(values).model_dump()
    except ValidationError as error:
        raise WrongFields([_problem(item) for item in error.errors(include_url=False)]) from None


def _problem(item: Any) -> dict[str, Any]:
    """One invalid field, with Pydantic's messages, which are also BFL's."""
    problem = {
        "type": item["type"],
        "loc": ["body", *item["loc"]],
        "msg": item["msg"],
        "input": _echo(item["input"]),
    }
    return problem | {"ctx": item["ctx"]} if "ctx" in item else problem


def _echo(value: object) -> object:
    """The value that was sent, shortened and only if JSON can represent it."""
    if isinstance(value, str):
        return value[:LONGEST_ECHO]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value if isinstance(value, bool | int | float) else None


def _inputs(endpoint: Endpoint, values: Mapping[str, Any]) -> dict[str, object]:
    """The options by catalogue name; those that neither the caller nor BFL sets are left out."""
    inputs: dict[str, object] = {}
    for field, item in endpoint.options.items():
        value = values[field]
        if value is None:
            if field not in endpoint.defaults:
                continue
            value = endpoint.defaults[field]
        elif item.multiple_of > 1:
            value -= value % item.multiple_of  # as BFL does with sizes
        inputs[item.name] = value
    return inputs
