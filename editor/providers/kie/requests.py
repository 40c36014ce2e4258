"""Builds kie's requests for an edit: which of its two APIs, and the body for it. Pure.

Source: the contract, sections 2 and 3 (market models), 4 (Flux Kontext) and 6 (uploads).
"""

from __future__ import annotations

import io
import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from editor.providers.base import Account, EditRequest, ErrorKind
from editor.providers.failures import failure

PUBLIC_URL = "https://api.kie.ai"
PUBLIC_UPLOADS = "https://kieai.redpandaai.co"
UPLOAD_FOLDER = "image-editor"
MEGABYTE = 1024 * 1024

KONTEXT = frozenset({"flux-kontext-pro", "flux-kontext-max"})
_KONTEXT_RATIOS = ("21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
_MOST_TOLERANT_EDIT = 2  # the highest safetyTolerance of an edit; a generation allows all six

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_JPEG = {"jpeg": "jpeg", "png": "png"}
_JPG = {"jpeg": "jpg", "png": "png"}
_RESOLUTIONS = ("1K", "2K", "4K")  # about 1, 4 and 16 megapixels


@dataclass(frozen=True, slots=True)
class Market:
    """The parameters of a market model.

    images       the field for the URLs of images
    most_images  the maximum number of images
    megabytes    the maximum size of one image
    ratios       supported aspect ratios, besides "auto"
    ratio        the field for the aspect ratio
    text_twin    the model for prompts without images; "" if it is the same
    resolutions  smallest first; () if there is no such field
    formats      the catalogue's names -> the model's; {} if there is no such field
    background   whether there is such a field
    """

    images: str
    most_images: int
    megabytes: int
    ratios: tuple[str, ...]
    ratio: str = "aspect_ratio"
    text_twin: str = ""
    resolutions: tuple[str, ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    background: bool = False


_NANO = tuple("1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9".split())
_NANO_2 = tuple("1:1 1:4 1:8 2:3 3:2 3:4 4:1 4:3 4:5 5:4 8:1 9:16 16:9 21:9".split())
_FLUX_2 = tuple("1:1 4:3 3:4 16:9 9:16 3:2 2:3".split())
# Four more, close to these, are supported at 1K only.
_GPT = tuple("1:1 3:2 2:3 4:3 3:4 16:9 9:16 21:9".split())


def _nano_2() -> Market:
    return Market("image_input", 14, 30, _NANO_2, resolutions=_RESOLUTIONS, formats=_JPG)


def _flux_2(kind: str) -> Market:
    twin = f"flux-2/{kind}-text-to-image"
    return Market("input_urls", 8, 10, _FLUX_2, text_twin=twin, resolutions=_RESOLUTIONS[:2])


def _gpt(kind: str) -> Market:
    twin = f"gpt-image-2-5-{kind}-text-to-image"
    return Market("input_urls", 16, 10, _GPT, text_twin=twin, resolutions=_RESOLUTIONS, background=True)


_MARKET = {
    "google/nano-banana-edit": Market(
        "image_urls", 10, 10, _NANO, ratio="image_size", text_twin="google/nano-banana", formats=_JPEG
    ),
    "nano-banana-2": _nano_2(),
    "nano-banana-2-1": _nano_2(),
    "nano-banana-2-lite": Market("image_urls", 10, 10, _NANO_2),
    "nano-banana-pro": Market("image_input", 8, 30, _NANO, resolutions=_RESOLUTIONS, formats=_JPG),
    "flux-2/pro-image-to-image": _flux_2("pro"),
    "flux-2/flex-image-to-image": _flux_2("flex"),
    "gpt-image-2-5-flare-image-to-image": _gpt("flare"),
    "gpt-image-2-5-sunburst-image-to-image": _gpt("sunburst"),
}


def headers(account: Account) -> dict[str, str]:
    return {"authorization": f"Bearer {account.key}"}


def submit_path(target: str) -> str:
    return "/api/v1/flux/kontext/generate" if target in KONTEXT else "/api/v1/jobs/createTask"


def poll_path(target: str) -> str:
    return "/api/v1/flux/kontext/record-info" if target in KONTEXT else "/api/v1/jobs/recordInfo"


def upload_url(base_url: str) -> str:
    """kie's separate upload host accepts the same key; a compatible server receives uploads itself."""
    return (PUBLIC_UPLOADS if base_url == PUBLIC_URL else base_url) + "/api/file-stream-upload"


def check(request: EditRequest) -> None:
    """Raise ProviderError for an edit that the target does not support."""
    if request.target not in KONTEXT and request.target not in _MARKET:
        message = f"The portal does not support kie's model “{request.target}”."
        raise failure(ErrorKind.UNAVAILABLE, message=message)
    if request.mask is not None:
        raise failure(ErrorKind.INVALID_INPUT, message="kie does not support masks for this model.")
    most = 1 if request.target in KONTEXT else _MARKET[request.target].most_images
    if len(request.images) > most:
        images = "one image" if most == 1 else f"{most} images"
        message = f"kie takes at most {images} for this model; you sent {len(request.images)}."
        raise failure(ErrorKind.INVALID_INPUT, message=message)


def body(request: EditRequest, *, links: Sequence[str]) -> dict[str, Any]:
    """The body for `submit_path`. `links`: the uploaded images, in order."""
    sent = _kontext(request, links) if request.target in KONTEXT else _market(request, links)
    if request.callback_url is not None:
        sent["callBackUrl"] = request.callback_url
    return sent


def most_bytes(target: str) -> int:
    """The maximum size of one image."""
    market = _MARKET.get(target)
    return (market.megabytes if market else 10) * MEGABYTE


def upload(content: bytes, content_type: str) -> dict[str, Any]:
    """The multipart fields for one image. Reusing a file name would overwrite the earlier file."""
    name = f"{secrets.token_hex(16)}.{_EXTENSIONS[content_type]}"
    return {
        "data": {"uploadPath": UPLOAD_FOLDER, "fileName": name},
        "files": {"file": (name, content, content_type)},
    }


def as_jpeg(content: bytes) -> bytes:
    """The same image in fewer bytes; transparent parts become white."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=("PNG", "WEBP", "JPEG")) as image:
        if image.has_transparency_data:
            shown = image.convert("RGBA")
            flat = Image.new("RGB", shown.size, "white")
            flat.paste(shown, mask=shown)
        else:
            flat = image.convert("RGB")
    flat.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def _kontext(request: EditRequest, links: Sequence[str]) -> dict[str, Any]:
    inputs = request.inputs
    tolerance = int(inputs.get("safetyTolerance", 2))
    sent: dict[str, Any] = {
        "prompt": request.prompt,
        "model": request.target,
        "outputFormat": _JPEG.get(str(inputs.get("outputFormat")), "jpeg"),
        "promptUpsampling": str(inputs.get("promptUpsampling")).lower() == "true",
        "safetyTolerance": min(tolerance, _MOST_TOLERANT_EDIT) if links else tolerance,
    }
    ratio = _ratio(request, _KONTEXT_RATIOS)
    if ratio != "auto":  # without it the image's own ratio is kept
        sent["aspectRatio"] = ratio
    if links:
        sent["inputImage"] = links[0]
    return sent


def _market(request: EditRequest, links: Sequence[str]) -> dict[str, Any]:
    market, inputs = _MARKET[request.target], request.inputs
    fields: dict[str, Any] = {"prompt": request.prompt, market.ratio: _ratio(request, market.ratios)}
    if links:
        fields[market.images] = list(links)
    if market.resolutions:
        fields["resolution"] = _resolution(inputs, market.resolutions)
    if market.formats and inputs.get("outputFormat"):
        fields["output_format"] = market.formats[inputs["outputFormat"]]
    if market.background and inputs.get("background"):
        fields["background"] = inputs["background"]
    model = request.target if links or not market.text_twin else market.text_twin
    return {"model": model, "input": fields}


def _ratio(request: EditRequest, offered: Sequence[str]) -> str:
    """The supported ratio nearest to the requested one; by default the image's, or a square."""
    ratio = str(request.inputs.get("aspectRatio") or "")
    width, height = _sides(request.inputs)
    if not ratio and width and height:
        ratio = f"{width}:{height}"
    if not ratio:
        return "auto" if request.images else "1:1"
    return min(offered, key=lambda each: abs(_shape(each) - _shape(ratio)))


def _shape(ratio: str) -> float:
    """The ratio's logarithm, so that twice as wide is as far from a square as twice as high."""
    across, _, down = ratio.partition(":")
    return math.log(int(across) / int(down))


def _resolution(inputs: Mapping[str, Any], offered: Sequence[str]) -> str:
    """The requested resolution, or the largest supported one below it. By default from width and height."""
    width, height = _sides(inputs)
    by_size = "2K" if width * height > 2_000_000 else "1K"  # halfway between the two
    requested = _RESOLUTIONS.index(inputs.get("resolution") or by_size)
    return offered[min(requested, len(offered) - 1)]


def _sides(inputs: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height in pixels; 0 if left to the provider."""
    return int(inputs.get("width") or 0), int(inputs.get("height") or 0)
