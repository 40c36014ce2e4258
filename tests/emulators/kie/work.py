"""The work of a request at kie: its validation, the check of its images, the result and its price."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tests.emulators import inputs
from tests.emulators.inputs import Size, fit
from tests.emulators.kie.schemas import Inputs
from tests.emulators.pictures import Picture

UNSEEN = (1024, 1024)  # assumed for images at URLs that emulators do not fetch
UNREADABLE = "Image fetch failed. Check access settings or use the File Upload API instead."
SIDE = {"1K": 1024, "2K": 2048, "4K": 4096, "basic": 2048, "high": 4096}  # pixels of a square
GPT_CREDITS = {"1K": 6.0, "2K": 10.0, "4K": 16.0}
NANO_2_1_CREDITS = {"1K": 4.0, "2K": 6.0, "4K": 9.0}


class BadInput(Exception):
    """Refused with code 422 and this message."""


def check(schema: type[Inputs], fields: Any, *, strict: bool) -> Inputs:
    """The validated input; raises BadInput. Not `strict`: unknown fields are ignored."""
    if not isinstance(fields, Mapping):
        raise BadInput("This field is required")
    if not strict:
        fields = {name: value for name, value in fields.items() if name in schema.model_fields}
    try:
        return schema.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            raise BadInput("This field is required") from error
        raise BadInput(f"{where}: {first['msg']}" if where else first["msg"]) from error


async def look_at(spec: Inputs) -> tuple[list[Size], str]:
    """The sizes of the input images, and the error of the first bad one, or ""."""
    sizes = []
    for url in spec.pictures():
        if not inputs.is_near(url):
            sizes.append(UNSEEN)
            continue
        content = await inputs.fetch(url)
        size = inputs.size_of(content) if content else None
        if content is None or size is None:
            return sizes, UNREADABLE
        if len(content) > spec.megabytes * 1024 * 1024:
            return sizes, f"File size exceeds {spec.megabytes}MB"
        sizes.append(size)
    return sizes, ""


def result(spec: Inputs, sizes: list[Size]) -> Picture:
    """The image of a task that succeeds. kie has no seeds: it follows from the request."""
    ratio = spec.entry("aspect_ratio") or spec.entry("image_size") or spec.entry("aspectRatio")
    if not ratio and not sizes:
        ratio = "16:9"  # the Kontext API's default without an image
    across, _, down = ratio.partition(":")
    first = sizes[0] if sizes else (1, 1)
    shape = int(across) / int(down) if down else first[0] / first[1]
    side = SIDE[spec.entry("resolution") or spec.entry("quality", "1K")]
    width, height = fit(shape, area=side * side, step=16)
    wanted = spec.entry("output_format") or spec.entry("outputFormat", "png")
    return Picture(
        spec.prompt,
        zlib.crc32(spec.model_dump_json().encode()),
        width,
        height,
        "jpeg" if wanted in ("jpg", "jpeg") else "png",
    )


def credits(model: str, spec: Inputs) -> float:
    """The price; made up if the contract names none."""
    resolution = spec.entry("resolution", "1K")
    if model.startswith("gpt-image"):
        return GPT_CREDITS[resolution]
    if model == "nano-banana-2-1":
        return NANO_2_1_CREDITS[resolution]
    return 8.0 if model == "flux-kontext-max" else 4.0
