"""Translates Wiro requests to submissions. Pure.

Source: the contract of Wiro's API, section 3, and the documents of its models.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from editor import catalog
from editor.access.lookups import MAXIMUM_IMAGES
from editor.catalog.types import Model
from editor.compat.wiro.body import Body, Fields
from editor.compat.wiro.profile import NO_FUNDS, OTHER, TOO_MANY, UNKNOWN, Refused
from editor.errors import (
    EditorError,
    InsufficientCredits,
    InvalidInput,
    LimitExceeded,
    NotFound,
    StorageFull,
    Unprocessable,
)
from editor.media import links
from editor.media.inputs import File, ImageInput, Link, Sample
from editor.operations.intake import Submission
from editor.operations.jobs import NewEdit
from editor.operations.limits import OverLimit
from editor.operations.webhooks.callbacks import Callback

# Files that Wiro's samples name -> photographs that the portal ships.
SAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "input-depth-to-image-4.jpg": "coffee",
        "flux_kontext_room.jpg": "coffee",
        "flux_kontext_dog.jpg": "cat",
        "bfl-flux-2-pro-input-5-1.jpg": "rocket",
        "bfl-flux-2-pro-input-5-2.jpg": "portrait",
    }
)
# inputImage, inputImageUrl, inputImage2Url, inputImage[0], inputImage[]
_SLOT = re.compile(r"inputImage(?P<number>[0-9]{0,2})(Url)?(\[(?P<index>[0-9]{0,3})\])?", re.ASCII)
_MASK = re.compile(r"(inputM|m)ask(Image)?(Url)?")
_NEXT_URL = re.compile(r",\s*(?=https?://)")


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A parsed run request; only its form has been checked.

    pictures      in the order in which the model takes them
    callback_url  "" if there is none
    """

    model: Model
    prompt: str
    inputs: Mapping[str, Any]
    pictures: tuple[ImageInput, ...]
    mask: ImageInput | None
    callback_url: str


def find_model(owner: str, project: str) -> Model:
    """The model with this name, the portal's or Wiro's, ignoring case. Raises Refused."""
    name = f"{owner}/{project}".lower()
    models = catalog.catalog().models
    if name in models:
        return models[name]
    for model in models.values():
        if any(route.provider == "wiro" and route.target.lower() == name for route in model.routes):
            return model
    raise Refused(UNKNOWN, "slug-owner-project-not-exist")


def models_named(name: str) -> list[str]:
    """The ids of the models with this lowercase name, with or without the vendor."""
    return [each for each in catalog.catalog().models if name in (each, each.partition("/")[2])]


def number(given: Body, name: str, default: int) -> int:
    """An integer, sent as a number or as text. Raises Refused."""
    text = given.text(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Refused(OTHER, f"Request parameter [{name}] must be integer or float")
    return int(text)


def parsed(model: Model, fields: Fields) -> ParsedRequest:
    """Raises InvalidInput or Refused. Names that the model does not know are ignored."""
    first: dict[str, Any] = {}
    for name, value in fields:
        first.setdefault(name, value)
    named = (picture for name, value in fields if _MASK.fullmatch(name) for picture in _pictures(value))
    masks = list(islice(named, 2))
    if len(masks) > 1:
        raise _invalid("Only one mask is supported.")
    prompt = _text(first.get("prompt"))
    # Stop there: a body has room for a hundred thousand URLs.
    pictures = tuple(islice(_in_slots(fields), MAXIMUM_IMAGES + 1))
    if len(pictures) > MAXIMUM_IMAGES:
        raise Refused(OTHER, f"Request files [inputImage]: At most {MAXIMUM_IMAGES} images at a time.")
    if not prompt.strip():
        raise Refused(OTHER, "Request parameter [prompt] required")
    if len(pictures) < model.minimum_images:
        missing = next(item.name for item in model.inputs if item.role in ("image", "images"))
        raise Refused(OTHER, f"Request files [{missing}] required")
    return ParsedRequest(
        model=model,
        prompt=prompt,
        inputs={item.name: _plain(first[item.name]) for item in model.options if item.name in first},
        pictures=pictures,
        mask=masks[0] if masks else None,
        callback_url=_callback_url(first.get("callbackUrl")),
    )


def submission(parsed: ParsedRequest, *, base_url: str) -> Submission:
    """The submission for a run; `base_url` is scheme and host of links."""
    edit = NewEdit(
        prompt=parsed.prompt,
        model=parsed.model.id,
        inputs=parsed.inputs,
        callback=Callback(url=parsed.callback_url, secret="", origin=base_url)
        if parsed.callback_url
        else None,
    )
    return Submission(edit=edit, images=parsed.pictures, mask=parsed.mask)


def problems(error: EditorError) -> list[tuple[int, str]]:
    """The error as Wiro's numbers and messages."""
    match error:
        case Refused():
            return [(error.number, error.message)]
        case OverLimit():
            return [(NO_FUNDS, f"Insufficient balance. {error.message}")]
        case InsufficientCredits():
            return [(NO_FUNDS, "Insufficient balance")]
        case LimitExceeded():
            return [(TOO_MANY, error.message)]
        case InvalidInput() if error.fields:
            return [(OTHER, _about(name, reason)) for name, reason in error.fields.items()]
        case StorageFull():
            return [(OTHER, error.message)]
        case Unprocessable():
            return [(UNKNOWN, f"tool-not-accessible: {error.message}")]
    return [(OTHER, error.message)]


def _about(name: str, reason: str) -> str:
    return (
        f"Request files [inputImage]: {reason}"
        if name == "images"
        else f"Request parameter [{name}]: {reason}"
    )


def _in_slots(fields: Fields) -> Iterator[ImageInput]:
    """All images, sorted by the numbers in their names; otherwise in their original order."""
    slots: list[tuple[int, int, Any]] = []
    for name, value in fields:
        if match := _SLOT.fullmatch(name):
            slots.append((int(match["number"] or 1), int(match["index"] or 0), value))
    for *_, value in sorted(slots, key=lambda slot: slot[:2]):
        yield from _pictures(value)


def _pictures(value: Any) -> Iterator[ImageInput]:
    """The images of one value: a file, text with one or more names, or a list of texts."""
    if value is None:
        return
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        for each in value:
            yield from map(_picture, _names(each))
    elif isinstance(value, File):
        # Browsers send an empty file if none was chosen.
        if value.name or value.size:
            yield value
    elif isinstance(value, str):
        yield from map(_picture, _names(value))
    else:
        raise _invalid("An image must be a URL, a file or a list of these.")


def _names(text: str) -> Iterable[str]:
    """URLs can contain commas: only a comma before another URL separates them."""
    for piece in _NEXT_URL.split(text):
        names = [piece] if _is_url(piece.strip()) else piece.split(",")
        yield from (name.strip() for name in names if name.strip())


def _picture(name: str) -> ImageInput:
    if name in SAMPLES:
        return Sample(SAMPLES[name])
    if not _is_url(name):
        raise _invalid(f"“{name[:100]}” is not an image URL. Send an https:// URL, or upload the file first.")
    return _own_image(name) or Link(name)


def _own_image(url: str) -> UUID | None:
    """The image behind one of the portal's own links, whatever its host name."""
    path = urlsplit(url).path
    if not path.startswith("/i/"):
        return None
    try:
        return links.verify_lasting(path.removeprefix("/i/"))[0]
    except NotFound:
        return None


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _callback_url(value: Any) -> str:
    """ "" unless the value is a URL: Wiro's samples have a sentence there."""
    text = value.strip() if isinstance(value, str) else ""
    return text if _is_url(text) else ""


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _invalid("Request parameter [prompt] must be text.")


def _plain(value: Any) -> Any:
    if isinstance(value, File):
        raise _invalid("Request parameters are invalid.")
    return value


def _invalid(reason: str) -> InvalidInput:
    return InvalidInput(reason)
