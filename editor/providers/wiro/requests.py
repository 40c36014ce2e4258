"""Builds Wiro's requests for an edit: headers, URLs and the body of a run. Pure.

Source: the contract, sections 1 (signatures), 3 (runs) and 8 (inputs of the models).
"""

from __future__ import annotations

import hashlib
import hmac
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from PIL import Image

from editor.providers.base import Account, EditRequest, ErrorKind
from editor.providers.failures import failure

PUBLIC_URL = "https://api.wiro.ai"
PUBLIC_SOCKET = "wss://socket.wiro.ai/v1"
SEEDS = 2**32  # how many there are if Wiro documents no limit

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Model:
    """The parameters of a model.

    options        catalogue name -> Wiro's; others are omitted. None: all, unchanged
    image_inputs   one for each image; () if all go in one list
    most_images    of that list
    takes_webp     False: JPEG and PNG only
    seeds          how many there are; larger ones wrap around to 0
    zero_is_any    a seed of 0 means a random one each time
    most_tolerant  its highest safetyTolerance
    samples        it can make several images of one prompt
    """

    options: Mapping[str, str] | None = None
    image_inputs: tuple[str, ...] = ()
    most_images: int = 8
    takes_webp: bool = True
    seeds: int = SEEDS
    zero_is_any: bool = False
    most_tolerant: int = 6
    samples: bool = False


def _options(names: str, **spelt_otherwise: str) -> dict[str, str]:
    return {name: name for name in names.split()} | spelt_otherwise


_FLUX_2 = "width height safetyTolerance seed outputFormat"
# Its one safetyTolerance is its default, so there is nothing to send.
_KONTEXT = Model(
    options=_options("promptUpsampling aspectRatio seed outputFormat"),
    image_inputs=("inputImageUrl",),
    takes_webp=False,
)
_OPEN = _options("steps scale seed", guidance="scale")
_KLEIN = Model(options=_OPEN | _options("width height"), zero_is_any=True, samples=True)

# Keyed by the target in lower case, since slugs occur in both cases.
_MODELS = {
    "black-forest-labs/flux-2-pro": Model(options=_options(_FLUX_2), seeds=10_000_000, most_tolerant=5),
    "black-forest-labs/flux-2-flex": Model(
        options=_options(f"{_FLUX_2} steps guidance"), seeds=10_000_000, most_tolerant=5
    ),
    "black-forest-labs/flux.2-klein-4b": _KLEIN,
    "black-forest-labs/flux.2-klein-9b": _KLEIN,
    "black-forest-labs/flux-kontext-pro": _KONTEXT,
    "black-forest-labs/flux-kontext-max": _KONTEXT,
    "wiro/flux_kontext_dev_with_2_image": Model(
        options=_OPEN, image_inputs=("inputImageUrl", "inputImage2Url"), zero_is_any=True, samples=True
    ),
}
# For any other model the catalogue is assumed to use Wiro's own input names.
_ANY = Model()


def model(target: str) -> Model:
    return _MODELS.get(target.lower(), _ANY)


def headers(account: Account, *, nonce: str) -> dict[str, str]:
    """The authentication headers. `nonce`: digits; signed together with the secret if there is one.

    Wiro documents no maximum age and no replay check for it, so nothing depends on the machine's clock.
    """
    if not account.secret:
        return {"x-api-key": account.key}
    message = (account.secret + nonce).encode()
    signature = hmac.new(account.key.encode(), message, hashlib.sha256).hexdigest()
    return {"x-api-key": account.key, "x-nonce": nonce, "x-signature": signature}


def run_path(target: str) -> str:
    """Some slugs have spaces or dots."""
    return "Run/" + "/".join(quote(part, safe="") for part in target.split("/"))


def socket_address(base_url: str) -> str:
    """The socket for this account's tasks: Wiro's own, or that of a compatible server."""
    return PUBLIC_SOCKET if base_url == PUBLIC_URL else base_url.replace("http", "ws", 1) + "/v1"


def check(request: EditRequest) -> None:
    """Raise INVALID_INPUT for an edit that the target does not support."""
    if request.mask is not None:
        raise failure(ErrorKind.INVALID_INPUT, message="Wiro does not support masks for this model.")
    target = model(request.target)
    most = len(target.image_inputs) or target.most_images
    if len(request.images) > most:
        images = "one image" if most == 1 else f"{most} images"
        text = f"Wiro takes at most {images} for this model; you sent {len(request.images)}."
        raise failure(ErrorKind.INVALID_INPUT, message=text)


def seed(request: EditRequest) -> int | None:
    """The seed to send, None for a model without seeds.

    An empty seed is chosen here: without one, Wiro uses the same default each time, and it does not
    report seeds that it chose itself.
    """
    target = model(request.target)
    if target.options is not None and "seed" not in target.options:
        return None
    given = request.inputs.get("seed")
    chosen = None if given in (None, "") else int(given) % target.seeds
    if chosen is None or (chosen == 0 and target.zero_is_any):
        return random.randrange(1, target.seeds)  # noqa: S311 (no secret)
    return chosen


def body(request: EditRequest, *, links: Sequence[str], seed: int | None) -> dict[str, Any]:
    """The body of a run. `links`: the uploaded images, in order."""
    target = model(request.target)
    sent: dict[str, Any] = {"prompt": request.prompt}
    for name, value in request.inputs.items():
        wire = name if target.options is None else target.options.get(name)
        if wire and value not in (None, ""):
            sent[wire] = _value(target, name, value)
    if target.samples:
        sent["samples"] = request.samples
    if seed is not None:
        sent["seed"] = str(seed)
    if target.image_inputs:
        sent |= dict(zip(target.image_inputs, links, strict=False))
    elif links:
        sent["inputImage"] = list(links)
    if request.callback_url is not None:
        sent["callbackUrl"] = request.callback_url
    return sent


def _value(target: Model, name: str, value: Any) -> Any:
    if name == "safetyTolerance":
        return min(int(value), target.most_tolerant)
    return value


def upload(content: bytes, content_type: str, *, number: int) -> dict[str, tuple[str, bytes, str]]:
    """The multipart field for one image."""
    return {"file": (f"image-{number}.{_EXTENSIONS[content_type]}", content, content_type)}


def as_png(content: bytes) -> bytes:
    """The same image in a format that every model accepts."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=("WEBP",)) as image:
        image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
