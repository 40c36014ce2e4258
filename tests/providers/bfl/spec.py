"""The contract's spec of BFL."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from editor.providers.bfl.adapter import Bfl as Adapter
from tests.emulators.bfl import Bfl
from tests.emulators.faults import Fault
from tests.emulators.records import Task
from tests.providers.contract.spec import PROMPT, SEED, Option, ProviderSpec, Refusal

FLUX_2, FLEX, KONTEXT, FILL = "flux-2-pro", "flux-2-flex", "flux-kontext-pro", "flux-pro-1.0-fill"
IMAGE_FIELDS = ("input_image", *(f"input_image_{number}" for number in range(2, 9)))


def images(task: Task) -> list[bytes]:
    return [b64decode(task.request[name]) for name in IMAGE_FIELDS if name in task.request]


def fields(task: Task) -> Mapping[str, Any]:
    return {name: value for name, value in task.request.items() if name not in ("prompt", *IMAGE_FIELDS)}


BFL = ProviderSpec(
    adapter=Adapter,
    emulator=Bfl,
    target=FLUX_2,
    label="Black Forest Labs",
    public_url="https://api.bfl.ai",
    limits={"all": 24},
    path=f"/v1/{FLUX_2}",
    body={"prompt": PROMPT, "seed": SEED},
    seeded=True,
    auth=("x-key", "{key}"),
    images=images,
    fields=fields,
    options=(
        Option(FLUX_2, {"width": 0, "height": 0}, {}),
        Option(FLUX_2, {"width": 1024, "height": 0}, {"width": 1024}),
        Option(FLUX_2, {"width": "1024", "height": 768}, {"width": 1024, "height": 768}),
        Option(FLUX_2, {"safetyTolerance": 6}, {"safety_tolerance": 5}),
        Option(FLUX_2, {"promptUpsampling": "true", "aspectRatio": "1:1", "samples": 4}, {}),
        Option(FLEX, {"steps": 20, "guidance": "4.5"}, {"steps": 20, "guidance": 4.5}),
        Option(KONTEXT, {"safetyTolerance": "6"}, {"safety_tolerance": 6}),
        Option(KONTEXT, {"promptUpsampling": "true"}, {"prompt_upsampling": True}),
        Option(KONTEXT, {"promptUpsampling": "false"}, {"prompt_upsampling": False}),
        Option(KONTEXT, {"aspectRatio": "", "seed": "", "outputFormat": None}, {}),
        Option(KONTEXT, {"seed": 0}, {"seed": 0}),
        Option(KONTEXT, {"seed": "42", "aspectRatio": "16:9"}, {"seed": 42, "aspect_ratio": "16:9"}),
        Option(KONTEXT, {"outputFormat": "jpeg"}, {"output_format": "jpeg"}, images=1),
        Option(KONTEXT, {"width": 1024, "height": 1024, "quality": "high"}, {}),
        Option("flux-2-klein-9b", {"outputFormat": "webp"}, {"output_format": "webp"}),
        Option("flux-pro-1.1", {"width": 512, "height": 512}, {"width": 512, "height": 512}),
        Option("flux-pro-1.1-ultra", {"aspectRatio": "9:16"}, {"aspect_ratio": "9:16"}),
        Option("flux-dev", {"steps": 28, "guidance": 3}, {"steps": 28, "guidance": 3.0}),
    ),
    impossible=(
        Refusal(KONTEXT, "at most 4 images", images=5),
        Refusal(FLUX_2, "at most 8 images", images=9),
        Refusal(FILL, "at most one image", images=2, masked=True),
        Refusal(FILL, "an image and a mask", images=1),
        Refusal(FILL, "an image and a mask", masked=True),
        Refusal(KONTEXT, "not support masks", images=1, masked=True),
    ),
    bad_input=Refusal(FLUX_2, "width: Input should be greater than or equal to 64", inputs={"width": 1}),
    no_model=Refusal("flux-9", "flux-9"),
    callbacks=True,
    key="0f0e0d0c-0b0a-4908-8706-050403020100",
    wrong_keys=("0f0e0d0c-0b0a-4908-8706-050403020199", "no such form", ""),
    check_url="/v1/credits",
    check_message="Credits left: 1000",
    refusals={Fault.SERVER_ERROR: "Internal Server Error"},
    endings={
        Fault.PROMPT_MODERATED: "Violence, Sexual Content, Self Harm",
        Fault.RESULT_MODERATED: "Sexual Content",
        Fault.FAILED: "Generation failed",
    },
    state=("polling_url", "submitted_at"),
)
