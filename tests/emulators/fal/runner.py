"""The runner behind the queue: checks an input, loads its images, and makes the results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tests.emulators.fal import models
from tests.emulators.fal.models import ENDPOINTS, NAMED_SIZES, Input
from tests.emulators.fal.outcomes import ModelError, model_error
from tests.emulators.inputs import Size, decode_base64, fetch, fit, is_near, is_url, size_of

_PIXELS = 1024 * 1024
_MOST_PIXELS = 4 * _PIXELS


@dataclass(frozen=True)
class Wanted:
    """A valid input, and the size of the result in pixels."""

    input: Input
    width: int
    height: int

    @property
    def count(self) -> int:
        return getattr(self.input, "num_images", 1)

    @property
    def kontext(self) -> bool:
        """Kontext models return timings, the prompt and NSFW flags; the others file names and sizes."""
        return isinstance(self.input, models.KontextText | models.KontextDev)


async def prepare(endpoint: str, values: Any) -> Wanted:
    """Raises ModelError with fal's messages."""
    try:
        given = ENDPOINTS[endpoint].model_validate(values)
    except ValidationError as error:
        raise _Invalid(error) from None
    sizes = [await _load(url, loc) for loc, url in _urls(given)]
    if isinstance(given, models.Flux3Edit):
        _check_flux3(sizes)
    width, height = _pixels(given, sizes[0] if sizes else None)
    return Wanted(given, width, height)


class _Invalid(ModelError):
    def __init__(self, error: ValidationError) -> None:
        Exception.__init__(self, str(error))
        problems = [
            {
                **problem,
                "loc": ["body", *problem["loc"]],
                "url": f"https://docs.fal.ai/errors#{problem['type']}",
            }
            for problem in error.errors(include_url=False)
        ]
        self.outcome = model_error(problems)


def _urls(given: Input) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The URLs of the images, with their locations in the input."""
    if isinstance(given, models.Kontext | models.KontextDev):
        yield ("image_url",), given.image_url
    elif isinstance(given, models.KontextMulti | models.Flux2Edit | models.Flux3Edit):
        for index, url in enumerate(given.image_urls):
            yield ("image_urls", index), url


async def _load(url: str, loc: tuple[str | int, ...]) -> Size:
    """Pixels of the image at this URL; a square is assumed for URLs outside this machine."""
    content: bytes | None = None
    if url.startswith("data:"):
        head, _, data = url.partition(",")
        content = decode_base64(data) if head.endswith(";base64") else None
    elif is_near(url):
        content = await fetch(url)
    elif is_url(url):
        return 1024, 1024
    if content is None:
        raise ModelError("file_download_error", "Failed to download the file.", *loc)
    size = size_of(content)
    if size is None:
        message = "Failed to load the image. Please ensure it is a valid image file."
        raise ModelError("image_load_error", message, *loc)
    return size


def _check_flux3(sizes: list[Size]) -> None:
    for index, (width, height) in enumerate(sizes):
        if min(width, height) < 256:
            raise ModelError(
                "image_too_small",
                "Image dimensions are too small.",
                "image_urls",
                index,
                ctx={"min_height": 256, "min_width": 256},
            )
        if width * height > _MOST_PIXELS:
            raise ModelError(
                "image_too_large",
                "Image dimensions are too large.",
                "image_urls",
                index,
                ctx={"max_resolution": _MOST_PIXELS},
            )


def _pixels(given: Input, first_image: Size | None) -> Size:
    if isinstance(given, models.Flux2Text | models.Flux2Edit):
        if isinstance(given.image_size, models.Size):
            return given.image_size.width, given.image_size.height
        if given.image_size in NAMED_SIZES:
            return NAMED_SIZES[given.image_size]
    ratio = getattr(given, "aspect_ratio", None) or getattr(given, "resolution_mode", None)
    if ratio is not None and ":" in ratio:
        width, height = map(int, ratio.split(":"))
        return fit(width / height, area=_PIXELS, step=16)
    if first_image is None:
        return 1024, 1024
    return fit(first_image[0] / first_image[1], area=_PIXELS, step=16)
