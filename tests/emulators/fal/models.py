"""The supported endpoints, and the input of each.

fal validates inputs with pydantic in the runner; so does the emulator, and errors have pydantic's
messages. Fields that a model does not know are ignored by both: see `ignored`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

Tolerance = Literal["1", "2", "3", "4", "5", "6"]
Ratio = Literal["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"]
Resolution = Literal[
    "auto", "match_input", "1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21"
]
NAMED_SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
Named = Literal["square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"]


class Size(BaseModel):
    """Pixels."""

    width: int = Field(512, gt=0, le=14142)
    height: int = Field(512, gt=0, le=14142)


class Input(BaseModel):
    """The fields of all models."""

    prompt: str
    seed: int | None = None
    sync_mode: bool = False
    output_format: Literal["jpeg", "png"] = "jpeg"


class KontextText(Input):
    aspect_ratio: Ratio | None = "1:1"
    guidance_scale: float = Field(3.5, ge=1, le=20)
    num_images: int = Field(1, ge=1, le=4)
    safety_tolerance: Tolerance = "2"
    enhance_prompt: bool = False


class Kontext(KontextText):
    aspect_ratio: Ratio | None = None
    image_url: str


class KontextMulti(KontextText):
    aspect_ratio: Ratio | None = None
    image_urls: list[str] = Field(min_length=1)


class KontextDev(Input):
    image_url: str
    guidance_scale: float = Field(2.5, ge=1, le=20)
    num_images: int = Field(1, ge=1, le=4)
    num_inference_steps: int = Field(28, ge=10, le=50)
    enable_safety_checker: bool = True
    enhance_prompt: bool = False
    acceleration: Literal["none", "regular", "high"] = "none"
    resolution_mode: Resolution = "match_input"


class Flux2Text(Input):
    image_size: Size | Named = "landscape_4_3"
    safety_tolerance: Literal["1", "2", "3", "4", "5"] = "2"
    enable_safety_checker: bool = True


class Flux2Edit(Input):
    image_urls: list[str] = Field(min_length=1, max_length=8)
    image_size: Size | Literal["auto"] | Named = "auto"
    safety_tolerance: Literal["1", "2", "3", "4", "5"] = "2"
    enable_safety_checker: bool = True


class Flux3Edit(Input):
    image_urls: list[str] = Field(min_length=1, max_length=10)


ENDPOINTS: dict[str, type[Input]] = {
    "fal-ai/flux-pro/kontext": Kontext,
    "fal-ai/flux-pro/kontext/max": Kontext,
    "fal-ai/flux-pro/kontext/multi": KontextMulti,
    "fal-ai/flux-pro/kontext/max/multi": KontextMulti,
    "fal-ai/flux-pro/kontext/text-to-image": KontextText,
    "fal-ai/flux-pro/kontext/max/text-to-image": KontextText,
    "fal-ai/flux-kontext/dev": KontextDev,
    "fal-ai/flux-2-pro": Flux2Text,
    "fal-ai/flux-2-pro/edit": Flux2Edit,
    "fal-ai/flux-2-max": Flux2Text,
    "fal-ai/flux-2-max/edit": Flux2Edit,
    "blackforestlabs/flux-3/edit-image": Flux3Edit,
}
APPLICATIONS = {"/".join(endpoint.split("/")[:2]) for endpoint in ENDPOINTS}


def ignored(endpoint: str, values: Mapping[str, Any]) -> set[str]:
    """Names in an input that this model does not know: a client that sends any has a bug."""
    return set(values) - set(ENDPOINTS[endpoint].model_fields)
