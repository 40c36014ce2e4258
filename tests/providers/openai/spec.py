"""The contract's spec of OpenAI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from editor.providers.base import IMMEDIATE_AT_ONCE
from editor.providers.openai.adapter import OpenAi as Adapter
from tests.emulators.faults import Fault
from tests.emulators.openai import OpenAi
from tests.emulators.records import Task
from tests.providers.contract.spec import PROMPT, Option, ProviderSpec, Refusal

SUNBURST, MINI = "gpt-image-2.6-sunburst", "gpt-image-1-mini"


def images(task: Task) -> list[bytes]:
    return [upload.content for upload in task.request["image"]]


def fields(task: Task) -> Mapping[str, Any]:
    usual = ("model", "prompt", "n", "image")
    return {name: value for name, value in task.request.items() if name not in usual and value is not None}


def size(model: str, inputs: Mapping[str, Any], sent: str) -> Option:
    """The option for a size that the model supports."""
    return Option(model, inputs, {"size": sent})


OPENAI = ProviderSpec(
    adapter=Adapter,
    emulator=OpenAi,
    target=SUNBURST,
    label="OpenAI",
    public_url="https://api.openai.com",
    limits={"requests": IMMEDIATE_AT_ONCE},
    path="/v1/images/generations",
    body={"model": SUNBURST, "prompt": PROMPT, "n": 1, "size": "auto"},
    auth=("authorization", "Bearer {key}"),
    images=images,
    fields=fields,
    options=(
        size(SUNBURST, {}, "auto"),
        size(SUNBURST, {"aspectRatio": ""}, "auto"),
        size(SUNBURST, {"aspectRatio": "", "resolution": "2K"}, "auto"),
        size(SUNBURST, {"aspectRatio": "match_input_image"}, "auto"),
        size(SUNBURST, {"aspectRatio": "0:1"}, "auto"),
        size(SUNBURST, {"width": 0, "height": "0"}, "auto"),
        size(SUNBURST, {"width": "1024", "height": 768}, "1024x768"),
        size(SUNBURST, {"aspectRatio": "3:2"}, "1536x1024"),
        size(SUNBURST, {"aspectRatio": "2:3"}, "1024x1536"),
        size(SUNBURST, {"aspectRatio": "1:1"}, "1248x1248"),
        size(SUNBURST, {"aspectRatio": "16:9"}, "1536x864"),
        size(SUNBURST, {"aspectRatio": "1:1", "resolution": "1K"}, "1024x1024"),
        size(SUNBURST, {"aspectRatio": "16:9", "resolution": "2K"}, "2560x1440"),
        size(SUNBURST, {"aspectRatio": "16:9", "resolution": "4K"}, "3840x2160"),
        size(SUNBURST, {"aspectRatio": "1:1", "resolution": "4K"}, "2880x2880"),
        size(SUNBURST, {"aspectRatio": "21:9", "resolution": "4K"}, "3808x1632"),
        size(SUNBURST, {"aspectRatio": "8:1"}, "2160x720"),  # no steeper than 3:1
        size(SUNBURST, {"aspectRatio": "1:4"}, "720x2160"),
        size(MINI, {"aspectRatio": ""}, "auto"),
        size(MINI, {"aspectRatio": "1:1", "resolution": "2K"}, "1024x1024"),
        size(MINI, {"aspectRatio": "16:9"}, "1536x1024"),
        size(MINI, {"aspectRatio": "4:5"}, "1024x1536"),
        size(MINI, {"width": 512, "height": 512}, "1024x1024"),
        Option(
            SUNBURST,
            {"quality": "high", "outputFormat": "webp"},
            {"size": "auto", "quality": "high", "output_format": "webp"},
            images=1,
        ),
        Option(
            SUNBURST,
            {"seed": 42, "safetyTolerance": 2, "steps": 28, "guidance": 2.5},
            {"size": "auto"},  # OpenAI has no fields for these
            images=1,
        ),
    ),
    impossible=(Refusal(SUNBURST, "needs an image", masked=True),),
    bad_input=Refusal(
        SUNBURST,
        "Transparent backgrounds need output_format",
        images=1,
        inputs={"background": "transparent", "outputFormat": "jpeg"},
    ),
    no_model=Refusal("gpt-image-1", "gpt-image-1"),
    takes_mask=True,
    samples=SUNBURST,
    check_url="/v1/models",
    check_message="Models for images: 11",
    refusals={
        Fault.SERVER_ERROR: "The server had an error",
        Fault.FORBIDDEN: "organization of this API key to be verified",
        Fault.SPEND_CAP: "no funds left",
        Fault.OVERLOADED: "currently overloaded",
    },
    endings={
        Fault.PROMPT_MODERATED: "rejected by the safety system",
        Fault.RESULT_MODERATED: "rejected by the safety system",
        Fault.FAILED: "The server had an error",
    },
    empty_fails=False,
)
