"""The inputs of kie's market models and of its Flux Kontext API. The first of an enum is the default."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tests.emulators.inputs import is_near, is_url


def _https(url: str) -> str:
    """kie fetches images from https URLs; an emulator also from this machine."""
    if not is_url(url) or not (url.startswith("https:") or is_near(url)):
        raise ValueError("must be an https URL")
    return url


ImageUrl = Annotated[str, AfterValidator(_https)]
Upto8 = Annotated[list[ImageUrl], Field(min_length=1, max_length=8)]
Upto10 = Annotated[list[ImageUrl], Field(min_length=1, max_length=10)]
Upto16 = Annotated[list[ImageUrl], Field(min_length=1, max_length=16)]
Resolution = Literal["1K", "2K", "4K"]

NanoSize = Literal["1:1", "9:16", "16:9", "3:4", "4:3", "3:2", "2:3", "5:4", "4:5", "21:9", "auto"]
Nano2Ratio = Literal[
    "auto", "1:1", "1:4", "1:8", "2:3", "3:2", "3:4", "4:1", "4:3", "4:5", "5:4", "8:1", "9:16", "16:9",
    "21:9",
]  # fmt: skip
NanoProRatio = Literal["1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9", "auto"]
Flux2Ratio = Literal["1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "auto"]
GptRatio = Literal[
    "auto", "1:1", "3:2", "2:3", "4:3", "3:4", "16:9", "9:16", "21:9", "27:16", "16:27", "9:8", "8:9"
]  # fmt: skip
ONLY_AT_1K = ("27:16", "16:27", "9:8", "8:9")
KontextRatio = Literal["21:9", "16:9", "4:3", "1:1", "3:4", "9:16"]


class Inputs(BaseModel):
    """`images`: the name of the field with images; `megabytes`: the most that one may have."""

    model_config = ConfigDict(extra="forbid", strict=True)
    images: ClassVar[str] = ""
    megabytes: ClassVar[int] = 10

    prompt: str = Field(min_length=1, max_length=20000)

    def entry(self, name: str, fallback: str = "") -> str:
        """The value of a field that not all models have."""
        return str(getattr(self, name, None) or fallback)

    def pictures(self) -> list[str]:
        """The URLs of the input images, in order."""
        sent = getattr(self, self.images, None) or [] if self.images else []
        return [sent] if isinstance(sent, str) else list(sent)


class NanoBanana(Inputs):
    prompt: str = Field(min_length=1, max_length=5000)
    output_format: Literal["png", "jpeg"] = "png"
    image_size: NanoSize = "1:1"


class NanoBananaEdit(NanoBanana):
    images = "image_urls"

    image_urls: Upto10


class NanoBanana2(Inputs):
    images = "image_input"
    megabytes = 30

    image_input: list[ImageUrl] = Field([], max_length=14)
    aspect_ratio: Nano2Ratio = "auto"
    resolution: Resolution = "1K"
    output_format: Literal["jpg", "png"] = "jpg"
    google_search: bool = False


class NanoBanana2Lite(Inputs):
    images = "image_urls"

    image_urls: list[ImageUrl] = Field([], max_length=10)
    aspect_ratio: Nano2Ratio = "auto"


class NanoBananaPro(Inputs):
    images = "image_input"
    megabytes = 30

    image_input: list[ImageUrl] = Field([], max_length=8)
    aspect_ratio: NanoProRatio = "1:1"
    resolution: Resolution = "1K"
    output_format: Literal["png", "jpg"] = "png"


class Flux2Text(Inputs):
    prompt: str = Field(min_length=3, max_length=5000)
    aspect_ratio: Flux2Ratio
    resolution: Literal["1K", "2K"]
    nsfw_checker: bool = False


class Flux2Image(Flux2Text):
    images = "input_urls"

    input_urls: Upto8


class GptText(Inputs):
    aspect_ratio: GptRatio = "auto"
    resolution: Resolution = "1K"
    background: Literal["auto", "opaque", "transparent"] = "auto"

    @model_validator(mode="after")
    def _some_ratios_at_1k_only(self) -> GptText:
        if self.aspect_ratio in ONLY_AT_1K and self.resolution != "1K":
            raise ValueError(f"aspect_ratio {self.aspect_ratio} is available at 1K only")
        return self


class GptImage(GptText):
    images = "input_urls"

    input_urls: Upto16


class SeedreamText(Inputs):
    aspect_ratio: NanoProRatio = "1:1"
    quality: Literal["basic", "high"] = "basic"


class SeedreamImage(SeedreamText):
    images = "image_urls"

    image_urls: Upto10


class Kontext(Inputs):
    """The Flux Kontext API: its own paths and spelling."""

    images = "inputImage"

    prompt: str = Field(min_length=1, max_length=5000)
    inputImage: ImageUrl | None = None
    aspectRatio: KontextRatio | None = None
    outputFormat: Literal["jpeg", "png"] = "jpeg"
    model: Literal["flux-kontext-pro", "flux-kontext-max"] = "flux-kontext-pro"
    enableTranslation: bool = True
    promptUpsampling: bool = False
    safetyTolerance: int = Field(2, ge=0, le=6)
    uploadCn: bool = False
    watermark: str | None = None
    callBackUrl: str | None = None

    @model_validator(mode="after")
    def _edits_are_stricter(self) -> Kontext:
        if self.inputImage and self.safetyTolerance > 2:
            raise ValueError("safetyTolerance must be between 0 and 2 in editing mode")
        return self


MODELS: dict[str, type[Inputs]] = {
    "google/nano-banana": NanoBanana,
    "google/nano-banana-edit": NanoBananaEdit,
    "nano-banana-2": NanoBanana2,
    "nano-banana-2-1": NanoBanana2,
    "nano-banana-2-lite": NanoBanana2Lite,
    "nano-banana-pro": NanoBananaPro,
    **{f"flux-2/{kind}-text-to-image": Flux2Text for kind in ("pro", "flex")},
    **{f"flux-2/{kind}-image-to-image": Flux2Image for kind in ("pro", "flex")},
    **{f"gpt-image-2-5-{kind}-text-to-image": GptText for kind in ("flare", "sunburst")},
    **{f"gpt-image-2-5-{kind}-image-to-image": GptImage for kind in ("flare", "sunburst")},
    **{f"seedream/5-{kind}-text-to-image": SeedreamText for kind in ("pro", "lite")},
    **{f"seedream/5-{kind}-image-to-image": SeedreamImage for kind in ("pro", "lite")},
}
