"""The contract's spec of Google."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from editor.providers.base import IMMEDIATE_AT_ONCE
from editor.providers.google.adapter import Google as Adapter
from tests.emulators.faults import Fault
from tests.emulators.google import Google
from tests.emulators.records import Task
from tests.providers.contract.spec import PROMPT, Option, ProviderSpec, Refusal

NANO, PRO = "gemini-nano-banana-2.1", "gemini-3-pro-image"
MODALITIES = {"responseModalities": ["TEXT", "IMAGE"]}


def images(task: Task) -> list[bytes]:
    """The images follow the prompt."""
    [content] = task.request["contents"]
    return [b64decode(part["inlineData"]["data"]) for part in content["parts"][1:]]


def fields(task: Task) -> Mapping[str, Any]:
    assert task.request["contents"][0]["parts"][0] == {"text": PROMPT}
    config = dict(task.request["generationConfig"])
    assert config.pop("responseModalities") == MODALITIES["responseModalities"]
    return config


GOOGLE = ProviderSpec(
    adapter=Adapter,
    emulator=Google,
    target=NANO,
    label="Google",
    public_url="https://generativelanguage.googleapis.com",
    limits={"requests": IMMEDIATE_AT_ONCE},
    path=f"/v1beta/models/{NANO}:generateContent",
    body={"contents": [{"role": "user", "parts": [{"text": PROMPT}]}], "generationConfig": MODALITIES},
    auth=("x-goog-api-key", "{key}"),
    images=images,
    fields=fields,
    options=(
        Option(PRO, {}, {}, images=1),
        Option(PRO, {"aspectRatio": "", "resolution": None}, {}, images=1),
        Option(PRO, {"aspectRatio": "16:9"}, {"imageConfig": {"aspectRatio": "16:9"}}, images=1),
        Option(PRO, {"resolution": "2K"}, {"imageConfig": {"imageSize": "2K"}}, images=1),
        Option(
            PRO,
            {"aspectRatio": "21:9", "resolution": "4K"},
            {"imageConfig": {"aspectRatio": "21:9", "imageSize": "4K"}},
            images=1,
        ),
        # Google has no fields for these: it chooses formats, samples and sizes itself.
        Option(
            PRO, {"outputFormat": "jpeg", "samples": 2, "width": 512, "seed": 42, "steps": 28}, {}, images=1
        ),
    ),
    bad_input=Refusal(NANO, "aspect_ratio must be one of", images=1, inputs={"aspectRatio": "7:3"}),
    no_model=Refusal("gemini-3-pro-image-preview", "gemini-3-pro-image-preview"),
    check_url="/v1beta/models?pageSize=1",
    refusals={
        Fault.OUT_OF_FUNDS: "quota at Google is used up",
        Fault.SERVER_ERROR: "An internal error has occurred",
        Fault.FORBIDDEN: "did not accept the API key",
        Fault.SPEND_CAP: "no funds left",
        Fault.OVERLOADED: "The model is overloaded",
    },
    endings={
        Fault.PROMPT_MODERATED: "PROHIBITED_CONTENT",
        Fault.RESULT_MODERATED: "Unable to show the generated image",
        Fault.FAILED: "An internal error has occurred",
    },
)
