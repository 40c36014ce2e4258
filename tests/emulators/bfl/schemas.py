"""The request bodies of BFL's models. BFL's API is a FastAPI application, so its texts about bad fields
are pydantic's own, and unknown fields are ignored.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, Field, HttpUrl, StringConstraints


def _between_21_9_and_9_21(ratio: str) -> str:
    width, _, height = ratio.partition(":")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise ValueError("Aspect ratio must be two numbers, W:H")
    if not 9 / 21 <= int(width) / int(height) <= 21 / 9:
        raise ValueError("Aspect ratio must be between 21:9 and 9:21")
    return ratio


AspectRatio = Annotated[str, AfterValidator(_between_21_9_and_9_21)]
Side = Annotated[int, Field(ge=64)]
OldSide = Annotated[int, Field(ge=256, le=1440, multiple_of=32)]
Margin = Annotated[int, Field(ge=0, le=2048)]
OutputFormat = Literal["jpeg", "png", "webp"]


class Schema(BaseModel):
    """The fields of all models. `images`: the fields for an image, in the order that prompts count them."""

    images: ClassVar[tuple[str, ...]] = ()

    prompt: str | None = ""
    seed: int | None = None
    output_format: OutputFormat | None = "jpeg"
    safety_tolerance: int = Field(2, ge=0, le=6)
    webhook_url: HttpUrl | None = None
    webhook_secret: str | None = None

    def pictures(self) -> dict[str, str]:
        """The fields of `images` that were sent."""
        sent = {name: getattr(self, name) for name in self.images}
        return {name: value for name, value in sent.items() if value is not None}


class Kontext(Schema):
    images = ("input_image", "input_image_2", "input_image_3", "input_image_4")

    prompt: str
    input_image: str | None = None
    input_image_2: str | None = None
    input_image_3: str | None = None
    input_image_4: str | None = None
    aspect_ratio: AspectRatio | None = None
    prompt_upsampling: bool = False
    output_format: OutputFormat | None = "png"


class Flux2Klein(Schema):
    images: ClassVar[tuple[str, ...]] = ("input_image", "input_image_2", "input_image_3", "input_image_4")

    prompt: str
    input_image: str | None = None
    input_image_2: str | None = None
    input_image_3: str | None = None
    input_image_4: str | None = None
    width: Side | None = 0
    height: Side | None = 0
    safety_tolerance: int = Field(2, ge=0, le=5)


class _Flux2Eight(Flux2Klein):
    images = (*Flux2Klein.images, "input_image_5", "input_image_6", "input_image_7", "input_image_8")

    input_image_5: str | None = None
    input_image_6: str | None = None
    input_image_7: str | None = None
    input_image_8: str | None = None


class Flux2(_Flux2Eight):
    disable_pup: bool = False
    user: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None


class Flux2Flex(_Flux2Eight):
    prompt_upsampling: bool | None = True
    guidance: float | None = Field(5.0, ge=1.5, le=10)
    steps: int | None = Field(50, ge=1, le=50)
    input_image_blob_path: str | None = None


class Pro11(Schema):
    images = ("image_prompt",)

    image_prompt: str | None = None
    width: OldSide = 1024
    height: OldSide = 768
    prompt_upsampling: bool = False


class Dev(Pro11):
    steps: int | None = Field(28, ge=1, le=50)
    guidance: float | None = Field(3.0, ge=1.5, le=5)


class Ultra(Schema):
    images = ("image_prompt",)

    prompt_upsampling: bool = False
    aspect_ratio: AspectRatio = "16:9"
    raw: bool = False
    image_prompt: str | None = None
    image_prompt_strength: float = Field(0.1, ge=0, le=1)


class _Repaint(Schema):
    image: str
    steps: int | None = Field(50, ge=15, le=50)
    prompt_upsampling: bool | None = False
    guidance: float | None = Field(60, ge=1.5, le=100)


class Fill(_Repaint):
    images = ("image", "mask")

    mask: str | None = None


class Expand(_Repaint):
    images = ("image",)

    top: Margin | None = 0
    bottom: Margin | None = 0
    left: Margin | None = 0
    right: Margin | None = 0


SCHEMAS: dict[str, type[Schema]] = {
    "flux-kontext-pro": Kontext,
    "flux-kontext-max": Kontext,
    "flux-2-pro": Flux2,
    "flux-2-pro-preview": Flux2,
    "flux-2-max": Flux2,
    "flux-2-flex": Flux2Flex,
    "flux-2-klein-4b": Flux2Klein,
    "flux-2-klein-9b": Flux2Klein,
    "flux-2-klein-9b-preview": Flux2Klein,
    "flux-pro-1.1": Pro11,
    "flux-dev": Dev,
    "flux-pro-1.1-ultra": Ultra,
    "flux-pro-1.0-fill": Fill,
    "flux-pro-1.0-expand": Expand,
}
