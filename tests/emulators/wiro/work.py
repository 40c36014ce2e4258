"""The work of a run at Wiro: the check of its input images, and its results."""

from __future__ import annotations

import zlib
from io import BytesIO

from PIL import Image

from tests.emulators import inputs
from tests.emulators.inputs import Size, fit
from tests.emulators.pictures import Picture
from tests.emulators.wiro.body import File
from tests.emulators.wiro.models import Model, Spec

UNSEEN = (1024, 1024)  # assumed for images at URLs that emulators do not fetch
MEGAPIXEL = 1024 * 1024


async def look_at(model: Model, spec: Spec) -> tuple[list[Size], str]:
    """The sizes of the input images, in order, and the error of the first bad one, or ""."""
    sizes = []
    for name, pictures in spec.pictures.items():
        for each in pictures:
            if isinstance(each, str) and not (inputs.is_url(each) and inputs.is_near(each)):
                sizes.append(UNSEEN)
                continue
            content = each.content if isinstance(each, File) else await inputs.fetch(each)
            if content is None:
                return sizes, f"Could not download the file of {name}"
            size = inputs.size_of(content)
            if size is None or Image.open(BytesIO(content)).format not in model.formats:
                return sizes, f"Could not read the image of {name}"
            sizes.append(size)
    return sizes, ""


def results(spec: Spec, sizes: list[Size]) -> list[Picture]:
    """The images of a run that succeeds."""
    first = sizes[0] if sizes else (1024, 1024)
    values = spec.values
    if "width" in values:
        width, height = spec.number("width") or first[0], spec.number("height") or first[1]
    else:
        across, _, down = values.get("aspectRatio", "").partition(":")
        ratio = int(across) / int(down) if down else first[0] / first[1]
        width, height = fit(ratio, area=MEGAPIXEL, step=16)
    seed = int(values["seed"])
    if seed == 0:  # random at Wiro; here derived from the prompt, so that results are predictable
        seed = zlib.crc32(values["prompt"].encode())
    return [
        Picture(values["prompt"], seed, width, height, values.get("outputFormat", "png"), index)
        for index in range(spec.number("samples", 1))
    ]
