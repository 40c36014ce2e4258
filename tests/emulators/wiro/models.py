"""The supported models, their inputs, and the validation of a run's fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.inputs import is_url
from tests.emulators.records import Refused
from tests.emulators.wiro.body import Fields, File, failure, invalid, slot, together

SAMPLE_FILE = re.compile(r"[\w.-]+-input-\d+-\d+\.(jpg|jpeg|png)")  # Wiro's own, named without a URL
LARGEST_FILE = 100 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class Input:
    """One input, as in Tool/Detail. `files`: how many images it accepts; 0: none."""

    id: str
    type: str
    required: bool = False
    default: str = ""
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] = ()
    files: int = 0


@dataclass(frozen=True)
class Model:
    """`formats`: accepted formats of images, by Pillow's names; others make the run fail."""

    id: str
    owner: str
    project: str
    inputs: tuple[Input, ...]
    formats: tuple[str, ...] = ("PNG", "JPEG", "WEBP")

    @property
    def slug(self) -> str:
        return f"{self.owner}/{self.project}".lower()


@dataclass
class Spec:
    """The validated fields: `values` by input id as text, `pictures` by slot."""

    values: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, list[str | File]] = field(default_factory=dict)

    def number(self, name: str, fallback: int = 0) -> int:
        return int(float(self.values.get(name) or fallback))


RATIOS = ("", *"1:1 16:9 9:16 4:3 3:4 3:2 2:3 4:5 5:4 21:9 9:21 2:1 1:2".split())
PROMPT = Input("prompt", "textarea", required=True)
SIDES = (
    Input("width", "number", default="1024", low=0, high=2048),
    Input("height", "number", default="1024", low=0, high=2048),
)
SIDES_MATCH = ("width", "height")  # the size of the first picture, where they are 0 or not sent
FORMAT_PNG = Input("outputFormat", "select", default="png", options=("jpeg", "png"))
SEED_TEXT = Input("seed", "text", default="0")
SAMPLES = Input("samples", "number", default="1", low=1, high=8)

FLUX2 = (
    Input("inputImage", "combinefileinput", files=8),
    PROMPT,
    *SIDES,
    Input("safetyTolerance", "number", default="2", low=0, high=5),
    Input("seed", "number", default="123", low=0, high=9999999),
    FORMAT_PNG,
)
FLEX = (
    *FLUX2,
    Input("guidance", "float", default="4.5", low=1.5, high=10),
    Input("steps", "number", default="50", low=1, high=50),
)
KONTEXT = (
    Input("inputImageUrl", "text", files=1),
    PROMPT,
    Input("promptUpsampling", "select", default="false", options=("false", "true")),
    Input("safetyTolerance", "select", default="2", options=("2",)),
    Input("aspectRatio", "select", options=RATIOS),
    Input("seed", "text", default="42"),
    Input("outputFormat", "select", default="jpeg", options=("jpeg", "png")),
)
KONTEXT_MULTI = (
    Input("inputImageUrl", "text", files=1),
    Input("inputImage2Url", "text", files=1),
    *(each for each in KONTEXT[1:] if each.id != "aspectRatio"),
)
KONTEXT_DEV = (
    Input("inputImageUrl", "text", files=1),
    Input("inputImage2Url", "text", files=1),
    PROMPT,
    Input("steps", "number", default="28", low=1, high=50),
    Input("scale", "float", default="2.5"),
    SAMPLES,
    SEED_TEXT,
)


def _open(steps: str) -> tuple[Input, ...]:
    return (
        Input("inputImage", "combinefileinput", files=8),
        PROMPT,
        Input("steps", "number", default=steps, low=1, high=50),
        Input("scale", "float", default="1"),
        SAMPLES,
        SEED_TEXT,
        *SIDES,
    )


_JPEG_PNG = ("PNG", "JPEG")
MODELS = {
    model.slug: model
    for model in (
        Model("1611", "black-forest-labs", "flux-2-pro", FLUX2),
        Model("1612", "black-forest-labs", "flux-2-flex", FLEX),
        Model("598", "black-forest-labs", "flux-kontext-pro", KONTEXT, _JPEG_PNG),
        Model("599", "black-forest-labs", "flux-kontext-max", KONTEXT, _JPEG_PNG),
        Model("600", "wiroai", "flux-kontext-max-multi", KONTEXT_MULTI, _JPEG_PNG),
        Model("610", "wiro", "flux_kontext_dev_with_2_image", KONTEXT_DEV),
        Model("1620", "black-forest-labs", "FLUX.2-klein-4B", _open("4")),
        Model("1621", "black-forest-labs", "FLUX.2-klein-9B", _open("4")),
        Model("1622", "wiro", "FLUX.2-dev", _open("15")),
    )
}


def check(model: Model, fields: Fields) -> Spec:
    """The validated fields; raises Wiro's error for the first invalid one. Unknown fields are ignored."""
    spec = Spec()
    sent = together(fields)
    for each in model.inputs:
        if each.files:
            spec.pictures[slot(each.id)] = _pictures(each, fields)
        else:
            spec.values[each.id] = _text(each, sent.get(each.id))
    callback = sent.get("callbackUrl")
    if callback and not (isinstance(callback, str) and is_url(callback)):
        raise invalid()
    return spec


def _text(wanted: Input, sent: Any) -> str:
    if isinstance(sent, File | list | dict):
        raise invalid()
    text = str(sent).lower() if isinstance(sent, bool) else "" if sent is None else str(sent).strip()
    if not text:
        if wanted.required:
            raise Refused(failure(0, f"Request parameter [{wanted.id}] required"))
        if wanted.id in SIDES_MATCH or (sent is not None and wanted.type == "select"):
            return ""
        return wanted.default
    if wanted.type in ("number", "float"):
        _check_number(wanted, text)
    if (wanted.options and text not in wanted.options) or (
        wanted.id == "seed" and not text.removeprefix("-").isdecimal()
    ):
        raise invalid()
    return text


def _check_number(wanted: Input, text: str) -> None:
    try:
        number = float(text)
    except ValueError as error:
        message = f"Request parameter [{wanted.id}] must be integer or float"
        raise Refused(failure(0, message)) from error
    side = wanted.id in SIDES_MATCH
    low = 64 if side and number else wanted.low
    if low is not None and wanted.high is not None and not low <= number <= wanted.high:
        message = f"Request parameter [{wanted.id}] must be between {low:g} and {wanted.high:g}"
        raise Refused(failure(0, message))
    if side and number % 16:
        raise invalid()


def _pictures(wanted: Input, fields: Fields) -> list[str | File]:
    """All images for one slot, in order: files, URLs, lists of URLs, URLs separated by commas."""
    found: list[str | File] = []
    for name, value in fields:
        if slot(name) != slot(wanted.id):
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, File):
                found += [each] if each.content or each.name else []
            elif isinstance(each, str):
                found += [part.strip() for part in each.split(",") if part.strip()]
            elif each is not None:
                raise invalid()
    for each in found:
        if isinstance(each, str) and not (is_url(each) or SAMPLE_FILE.fullmatch(each)):
            raise invalid()
        if isinstance(each, File) and len(each.content) > LARGEST_FILE:
            raise invalid()
    if len(found) > wanted.files:
        raise invalid()
    if wanted.required and not found:
        raise Refused(failure(0, f"Request files [{wanted.id}] required"))
    return found
