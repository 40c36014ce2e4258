"""Builds fal's requests for an edit. Source: the contract's sections 2, 8 and 9.

fal ignores fields that a model does not have, so only a model's own fields are sent.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from editor.providers.base import EditRequest, ErrorKind, InputImage
from editor.providers.failures import failure

# The most bytes of all images of one edit that are sent inline; larger ones are uploaded.
INLINE_BYTES = 4 * 1024**2
FEWEST_STEPS = 10
GUIDANCE = (1.0, 20.0)


@dataclass(frozen=True, slots=True)
class Model:
    """The endpoints of one model and their parameters.

    text              without an image; "" if it needs one
    single            takes one image as `image_url`; "" if `several` takes a single one too
    several           takes up to `images` as `image_urls`; "" if there is none
    fields            our name of an input -> its own
    ratios            the aspect ratios it supports
    safety_tolerance  its highest value; ours goes from 0 to 6, its from 1
    samples           it can make several images of one prompt
    """

    fields: Mapping[str, str]
    text: str = ""
    single: str = ""
    several: str = ""
    images: int = 1
    ratios: frozenset[str] = frozenset()
    safety_tolerance: int = 6
    samples: bool = False


_RATIOS = frozenset("21:9 16:9 4:3 3:2 1:1 2:3 3:4 9:16 9:21".split())
_COMMON = {"seed": "seed", "outputFormat": "output_format"}
_KONTEXT = _COMMON | {
    "aspectRatio": "aspect_ratio",
    "guidance": "guidance_scale",
    "safetyTolerance": "safety_tolerance",
    "promptUpsampling": "enhance_prompt",
}
_KONTEXT_DEV = _COMMON | {
    "aspectRatio": "resolution_mode",
    "guidance": "guidance_scale",
    "scale": "guidance_scale",
    "steps": "num_inference_steps",
    "promptUpsampling": "enhance_prompt",
}
_FLUX_2 = _COMMON | {"safetyTolerance": "safety_tolerance", "width": "image_size"}

MODELS: Mapping[str, Model] = {
    "fal-ai/flux-pro/kontext": Model(
        _KONTEXT,
        text="fal-ai/flux-pro/kontext/text-to-image",
        single="fal-ai/flux-pro/kontext",
        several="fal-ai/flux-pro/kontext/multi",
        images=4,
        ratios=_RATIOS,
        samples=True,
    ),
    "fal-ai/flux-pro/kontext/max": Model(
        _KONTEXT,
        text="fal-ai/flux-pro/kontext/max/text-to-image",
        single="fal-ai/flux-pro/kontext/max",
        several="fal-ai/flux-pro/kontext/max/multi",
        images=4,
        ratios=_RATIOS,
        samples=True,
    ),
    "fal-ai/flux-kontext/dev": Model(
        _KONTEXT_DEV, single="fal-ai/flux-kontext/dev", ratios=_RATIOS | {"4:5", "5:4"}, samples=True
    ),
    "fal-ai/flux-2-pro/edit": Model(
        _FLUX_2, text="fal-ai/flux-2-pro", several="fal-ai/flux-2-pro/edit", images=8, safety_tolerance=5
    ),
    "fal-ai/flux-2-max/edit": Model(
        _FLUX_2, text="fal-ai/flux-2-max", several="fal-ai/flux-2-max/edit", images=8, safety_tolerance=5
    ),
    # Its options are unknown.
    "blackforestlabs/flux-3/edit-image": Model({}, several="blackforestlabs/flux-3/edit-image", images=10),
}


def endpoint(request: EditRequest) -> str:
    """The edit's endpoint. Raises ProviderError for one that fal would refuse, or not do as requested."""
    model = MODELS.get(request.target)
    if model is None:
        raise failure(
            ErrorKind.UNAVAILABLE, message=f"The portal does not support fal's model “{request.target}”."
        )
    if request.mask is not None:
        raise failure(ErrorKind.INVALID_INPUT, message="This model does not support masks.")
    count = len(request.images)
    if count > model.images:
        most = "one image" if model.images == 1 else f"{model.images} images"
        raise failure(ErrorKind.INVALID_INPUT, message=f"This model takes at most {most}.")
    ratio = request.inputs.get("aspectRatio")
    if ratio and model.ratios and ratio not in model.ratios:
        raise failure(ErrorKind.INVALID_INPUT, message=f"fal does not offer the aspect ratio {ratio}.")
    if not count:
        if not model.text:
            raise failure(ErrorKind.INVALID_INPUT, message="This model needs an image.")
        return model.text
    return model.single if count == 1 and model.single else model.several


def body(request: EditRequest, *, urls: Sequence[str]) -> bytes:
    """The JSON of the submit. Slow with large data URIs: do not call it on the event loop."""
    model = MODELS[request.target]
    payload: dict[str, Any] = {"prompt": request.prompt} | _options(model, request.inputs)
    if model.samples and request.samples > 1:
        payload["num_images"] = request.samples
    if len(urls) == 1 and model.single:
        payload["image_url"] = urls[0]
    elif urls:
        payload["image_urls"] = list(urls)
    return json.dumps(payload).encode()


def data_uri(image: InputImage, content: bytes) -> str:
    """An inline image."""
    return f"data:{image.content_type};base64,{base64.b64encode(content).decode()}"


def _options(model: Model, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The options under fal's names, in its types and ranges; unset ones are omitted."""
    options: dict[str, Any] = {}
    for name, field in model.fields.items():
        value = inputs.get(name)
        if value is None or value == "":
            continue
        match name:
            case "width":  # with the height; 0 for either means the size of the input
                if (width := int(value)) and (height := int(inputs.get("height") or 0)):
                    options[field] = {"width": width, "height": height}
            case "seed":
                options[field] = int(value)
            case "steps":
                options[field] = max(FEWEST_STEPS, int(value))
            case "guidance" | "scale":
                options[field] = min(max(GUIDANCE[0], float(value)), GUIDANCE[1])
            case "safetyTolerance":
                options[field] = str(min(max(1, int(value)), model.safety_tolerance))
            case "promptUpsampling":
                options[field] = str(value).lower() == "true"
            case _:
                options[field] = value
    return options
