"""Builds BFL's requests for an edit. Source: the contract's sections 3 and 4.

Images are raw base64 on all models. BFL ignores fields and image slots that a model does not
have, so these are not sent, and too many images are refused here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from editor.providers.base import EditRequest, ErrorKind
from editor.providers.failures import failure

FILL = "flux-pro-1.0-fill"


@dataclass(frozen=True, slots=True)
class Model:
    """The parameters of one endpoint.

    images            its fields for images, in the order in which prompts count them
    fields            our name of an input -> its own
    safety_tolerance  its highest value; ours goes to 6
    """

    images: tuple[str, ...]
    fields: Mapping[str, str]
    safety_tolerance: int = 6


_COMMON = {"seed": "seed", "outputFormat": "output_format", "safetyTolerance": "safety_tolerance"}
_SIZE = {"width": "width", "height": "height"}
_UPSAMPLING = {"promptUpsampling": "prompt_upsampling"}
_EFFORT = {"steps": "steps", "guidance": "guidance"}
_EIGHT = ("input_image", *(f"input_image_{number}" for number in range(2, 9)))

_KONTEXT = Model(_EIGHT[:4], _COMMON | _UPSAMPLING | {"aspectRatio": "aspect_ratio"})
_FLUX_2 = Model(_EIGHT, _COMMON | _SIZE, safety_tolerance=5)
_FLUX_2_KLEIN = Model(_EIGHT[:4], _COMMON | _SIZE, safety_tolerance=5)

MODELS: Mapping[str, Model] = {
    "flux-kontext-pro": _KONTEXT,
    "flux-kontext-max": _KONTEXT,
    "flux-2-pro": _FLUX_2,
    "flux-2-pro-preview": _FLUX_2,
    "flux-2-max": _FLUX_2,
    "flux-2-flex": Model(_EIGHT, _COMMON | _SIZE | _UPSAMPLING | _EFFORT, safety_tolerance=5),
    "flux-2-klein-4b": _FLUX_2_KLEIN,
    "flux-2-klein-9b": _FLUX_2_KLEIN,
    "flux-2-klein-9b-preview": _FLUX_2_KLEIN,
    "flux-pro-1.1": Model(("image_prompt",), _COMMON | _SIZE | _UPSAMPLING),
    "flux-pro-1.1-ultra": Model(("image_prompt",), _COMMON | _UPSAMPLING | {"aspectRatio": "aspect_ratio"}),
    "flux-dev": Model(("image_prompt",), _COMMON | _SIZE | _UPSAMPLING | _EFFORT),
    FILL: Model(("image",), _COMMON | _UPSAMPLING | _EFFORT),
}


def check(request: EditRequest) -> None:
    """Raise ProviderError for an edit that BFL would refuse, or not do as requested."""
    model = MODELS.get(request.target)
    if model is None:
        raise failure(
            ErrorKind.UNAVAILABLE, message=f"The portal does not support BFL's model “{request.target}”."
        )
    if len(request.images) > len(model.images):
        most = "one image" if len(model.images) == 1 else f"{len(model.images)} images"
        raise failure(ErrorKind.INVALID_INPUT, message=f"This model takes at most {most}.")
    if request.target == FILL:
        if not request.images or request.mask is None:
            message = "This model repaints the masked area: it needs an image and a mask."
            raise failure(ErrorKind.INVALID_INPUT, message=message)
    elif request.mask is not None:
        raise failure(ErrorKind.INVALID_INPUT, message="This model does not support masks.")


def body(request: EditRequest, *, images: Sequence[bytes], mask: bytes | None) -> bytes:
    """The JSON of the submit. Slow with large images: do not call it on the event loop.

    images, mask  the request's files. BFL's mask is like ours: white is repainted, black is kept.
    """
    model = MODELS[request.target]
    payload: dict[str, Any] = {"prompt": request.prompt} | _options(model, request.inputs)
    for field, image in zip(model.images, images, strict=False):
        payload[field] = _base64(image)
    if mask is not None:
        payload["mask"] = _base64(mask)
    if request.callback_url is not None:
        payload["webhook_url"] = request.callback_url
    return json.dumps(payload).encode()


def _options(model: Model, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The options under BFL's names and in its types; unset ones are omitted."""
    options: dict[str, Any] = {}
    for name, field in model.fields.items():
        value = inputs.get(name)
        if value is None or value == "":
            continue
        match name:
            case "width" | "height":
                if int(value) == 0:  # same as the input; 0 itself may be refused
                    continue
                options[field] = int(value)
            case "seed" | "steps":
                options[field] = int(value)
            case "safetyTolerance":
                options[field] = min(int(value), model.safety_tolerance)
            case "guidance":
                options[field] = float(value)
            case "promptUpsampling":
                options[field] = str(value).lower() == "true"
            case _:
                options[field] = value
    return options


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
