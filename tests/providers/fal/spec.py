"""The contract's spec of fal."""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from editor.providers.fal.adapter import Fal as Adapter
from editor.providers.fal.requests import INLINE_BYTES
from tests.emulators.fal import Fal
from tests.emulators.fal.records import Queued
from tests.emulators.faults import Fault, Step
from tests.emulators.records import Task
from tests.providers.contract.spec import PROMPT, RED, SEED, Option, ProviderSpec, Refusal

FLUX_2, FLUX_3 = "fal-ai/flux-2-pro/edit", "blackforestlabs/flux-3/edit-image"
KONTEXT, KONTEXT_DEV = "fal-ai/flux-pro/kontext", "fal-ai/flux-kontext/dev"
LARGE = RED + os.urandom(INLINE_BYTES)  # bytes after the end of a PNG are ignored


def images(task: Task) -> list[bytes]:
    return [b64decode(uri.removeprefix("data:image/png;base64,")) for uri in task.request["image_urls"]]


def fields(task: Task) -> Mapping[str, Any]:
    assert isinstance(task, Queued)
    assert task.ignored == set()  # fal knows every field that was sent
    usual = ("prompt", "image_url", "image_urls")
    return {name: value for name, value in task.request.items() if name not in usual}


def option(target: str, inputs: Mapping[str, Any], sent: Mapping[str, Any]) -> Option:
    """An option in an edit of one image."""
    return Option(target, inputs, sent, images=1)


FAL = ProviderSpec(
    adapter=Adapter,
    emulator=Fal,
    target=FLUX_2,
    label="fal",
    public_url="https://queue.fal.run",
    path="/fal-ai/flux-2-pro",
    body={"prompt": PROMPT, "seed": SEED},
    seeded=True,
    auth=("authorization", "Key {key}"),
    images=images,
    fields=fields,
    options=(
        option(KONTEXT, {"aspectRatio": "16:9"}, {"aspect_ratio": "16:9"}),
        option(KONTEXT, {"aspectRatio": "", "seed": None, "outputFormat": ""}, {}),
        option(KONTEXT, {"outputFormat": "png"}, {"output_format": "png"}),
        option(KONTEXT, {"samples": 3}, {"num_images": 3}),
        option(KONTEXT, {"safetyTolerance": "0"}, {"safety_tolerance": "1"}),
        option(KONTEXT, {"safetyTolerance": 6}, {"safety_tolerance": "6"}),
        option(KONTEXT, {"promptUpsampling": "true"}, {"enhance_prompt": True}),
        option(KONTEXT, {"promptUpsampling": "false"}, {"enhance_prompt": False}),
        option(KONTEXT, {"width": 512, "height": 512, "quality": "high", "steps": 3}, {}),
        option(KONTEXT_DEV, {"aspectRatio": "4:5"}, {"resolution_mode": "4:5"}),
        option(KONTEXT_DEV, {"steps": 3, "scale": 0}, {"num_inference_steps": 10, "guidance_scale": 1.0}),
        option(
            KONTEXT_DEV,
            {"steps": "28", "guidance": "2.5"},
            {"num_inference_steps": 28, "guidance_scale": 2.5},
        ),
        option(KONTEXT_DEV, {"safetyTolerance": 2}, {}),
        option(FLUX_2, {"safetyTolerance": 6}, {"safety_tolerance": "5"}),
        option(FLUX_2, {"width": "1024", "height": 768}, {"image_size": {"width": 1024, "height": 768}}),
        option(FLUX_2, {"width": 1024, "height": 0}, {}),
        option(FLUX_2, {"width": 0, "height": 0, "samples": 4}, {}),
    ),
    impossible=(
        Refusal(KONTEXT, "at most 4 images", images=5),
        Refusal(KONTEXT_DEV, "at most one image", images=2),
        Refusal(KONTEXT_DEV, "needs an image"),
        Refusal(FLUX_3, "needs an image"),
        Refusal(KONTEXT, "aspect ratio 4:5", images=1, inputs={"aspectRatio": "4:5"}),
    ),
    bad_input=Refusal(
        FLUX_2, "less than or equal to 14142", images=1, inputs={"width": 20_000, "height": 20_000}
    ),
    no_model=Refusal("fal-ai/flux-9", "fal-ai/flux-9"),
    samples=KONTEXT,
    callbacks=True,
    key="planted-id:planted-secret",
    check_url="/storage/auth/token?storage_type=fal-cdn-v3",
    check_step=Step.UPLOAD,
    refusals={
        Fault.SERVER_ERROR: "Internal server error",
        Fault.FORBIDDEN: "did not accept the API key",
    },
    endings={
        Fault.PROMPT_MODERATED: "flagged by a content checker",
        Fault.RESULT_MODERATED: "safety filter",
        Fault.FAILED: "Internal server error",
        Fault.OVERLOADED: "No runner could be scheduled",
    },
    state=("cancel_url", "response_url", "status_url", "submitted_at"),
    uploaded=LARGE,
    cancels=True,
)
