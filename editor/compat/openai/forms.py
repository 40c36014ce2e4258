"""Request bodies: fields, and the images of an edit."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from editor.compat.openai.errors import MissingParameter
from editor.compat.openai.profile import BODY_LIMIT
from editor.errors import InvalidInput
from editor.gateway.strict_json import check_text, read_object
from editor.media import limits
from editor.media.inputs import File

MOST_IMAGES = 16
_IMAGE = re.compile(r"image(\[[0-9]{0,2}\])?")  # the SDKs send `image`, or `image[]` for a list


@dataclass(frozen=True, slots=True)
class Form:
    """A request's body.

    images  the first is edited, the others are references
    mask    a PNG that is transparent where the first image may change
    digest  the same for the same fields and files, however they are encoded
    """

    fields: dict[str, Any]
    images: tuple[File, ...] = ()
    mask: File | None = None
    digest: str = ""

    def close(self) -> None:
        """Delete the files."""
        for file in (*self.images, *([self.mask] if self.mask else [])):
            file.content.close()


def read_json(request: HttpRequest) -> Form:
    """The body of a request without images. Raises InvalidInput."""
    try:
        fields = read_object(request.body)
    except (ValueError, RecursionError, RequestDataTooBig):
        raise InvalidInput(
            "We could not parse the JSON body of your request: it must be one object, without characters "
            "that cannot be stored."
        ) from None
    return Form(fields=fields, digest=_digest(request.path, fields, []))


def read_multipart(request: HttpRequest) -> Form:
    """The body of an edit. Reads and writes files: not for the event loop. Raises InvalidInput."""
    if request.content_type != "multipart/form-data":
        raise InvalidInput("Send edits as multipart/form-data, with the image as a file.")
    # Django treats a body without a length, as in chunks, as empty. The gateway middleware has bounded it.
    request.META.setdefault("CONTENT_LENGTH", str(BODY_LIMIT))
    # Overrides the caller's: Django accepts any Python codec, and fails on those that do not return text.
    request.encoding = "utf-8"
    try:
        # The last one of repeated fields counts.
        fields = {str(name): value for name, value in request.POST.items()}
        check_text(fields)
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError) as error:
        raise InvalidInput(f"We could not parse the multipart form data of your request. {error}") from None
    except ValueError:
        raise InvalidInput("The form contains text that cannot be stored.") from None
    files = cast("dict[str, list[UploadedFile[bytes]]]", dict(request.FILES.lists()))
    images = tuple(file for name, named in files.items() if _IMAGE.fullmatch(name) for file in named)
    masks = files.get("mask", [])
    _check(fields, files, images, masks)
    everything = [(name, file) for name, named in files.items() for file in named]
    return Form(
        fields=fields,
        images=tuple(map(_file, images)),
        mask=_file(masks[0]) if masks else None,
        digest=_digest(request.path, fields, everything),
    )


def _check(
    fields: dict[str, Any],
    files: dict[str, list[UploadedFile[bytes]]],
    images: tuple[UploadedFile[bytes], ...],
    masks: list[UploadedFile[bytes]],
) -> None:
    if "markup" in files:
        raise InvalidInput("Markup is not supported. Send a mask instead.", fields={"markup": "Unsupported."})
    for name in ("image", "image[]", "mask"):
        if name in fields:
            text = f"Expected '{name}' to be a file: its part needs a file name."
            raise InvalidInput(text, fields={name.removesuffix("[]"): text})
    if not images:
        raise MissingParameter("Missing required parameter: 'image'.", fields={"image": "Required."})
    if len(images) > MOST_IMAGES:
        text = f"You sent {len(images)} images; at most {MOST_IMAGES} are allowed."
        raise InvalidInput(text, fields={"image": text})
    if len(masks) > 1:
        raise InvalidInput("Send only one mask.", fields={"mask": "More than one."})
    for number, image in enumerate(images, start=1):
        with in_field("image", f"Image {number}: "):
            limits.check_upload_length(image.size or 0)
    for mask in masks:
        with in_field("mask", "The mask: "):
            limits.check_upload_length(mask.size or 0)


@contextlib.contextmanager
def in_field(name: str, before: str = "") -> Iterator[None]:
    """Attribute a BadImage raised inside to this field."""
    try:
        yield
    except limits.BadImage as error:
        raise limits.BadImage(f"{before}{error.message}", fields={name: error.message}) from None


def _file(uploaded: UploadedFile[bytes]) -> File:
    return File(uploaded.name or "", cast(IO[bytes], uploaded.file))


def _digest(path: str, fields: dict[str, Any], files: list[tuple[str, UploadedFile[bytes]]]) -> str:
    """Not a digest of the body itself: multipart boundaries differ each time."""
    rendered = [path, sorted(fields.items()), [(name, _hash(file)) for name, file in files]]
    return hashlib.sha256(json.dumps(rendered).encode()).hexdigest()


def _hash(file: UploadedFile[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
