"""The contract's spec of kie.ai: two APIs behind one key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.faults import Fault
from tests.emulators.kie import Kie
from tests.emulators.records import Task
from tests.providers.contract.spec import PROMPT, RED, Option, ProviderSpec, Refusal
from tests.providers.edits import contents

FLUX_2, KONTEXT = "flux-2/pro-image-to-image", "flux-kontext-max"
NANO_EDIT, NANO_2_1, NANO_PRO = "google/nano-banana-edit", "nano-banana-2-1", "nano-banana-pro"
GPT = "gpt-image-2-5-sunburst-image-to-image"
# Each market model and its field for images.
FIELDS = {
    NANO_EDIT: "image_urls",
    "nano-banana-2": "image_input",
    NANO_2_1: "image_input",
    "nano-banana-2-lite": "image_urls",
    NANO_PRO: "image_input",
    FLUX_2: "input_urls",
    "flux-2/flex-image-to-image": "input_urls",
    "gpt-image-2-5-flare-image-to-image": "input_urls",
    GPT: "input_urls",
}


def images(task: Task) -> list[bytes]:
    market = task.request.get("input")
    return contents(market["input_urls"] if market else [task.request["inputImage"]])


def fields(task: Task) -> Mapping[str, Any]:
    usual = ("prompt", "model", "inputImage", *FIELDS.values())
    sent = task.request.get("input", task.request)
    return {name: value for name, value in sent.items() if name not in usual}


def kontext(inputs: Mapping[str, Any], sent: Mapping[str, Any], *, images: int = 1) -> Option:
    usual = {"outputFormat": "jpeg", "promptUpsampling": False, "safetyTolerance": 2}
    return Option(KONTEXT, inputs, {**usual, **sent}, images)


FLUX_2_USUAL = {"aspect_ratio": "1:1", "resolution": "1K"}
KIE = ProviderSpec(
    adapter=Adapter,
    emulator=Kie,
    target=FLUX_2,
    other_apis=(KONTEXT,),
    label="kie.ai",
    public_url="https://api.kie.ai",
    limits={"all": 100},
    path="/api/v1/jobs/createTask",
    body={"model": "flux-2/pro-text-to-image", "input": {"prompt": PROMPT, **FLUX_2_USUAL}},
    auth=("authorization", "Bearer {key}"),
    images=images,
    fields=fields,
    options=(
        kontext({"aspectRatio": "16:9"}, {"aspectRatio": "16:9"}),
        kontext({"aspectRatio": "2:1"}, {"aspectRatio": "16:9"}),  # the nearest available ratio
        kontext({"promptUpsampling": "true"}, {"promptUpsampling": True}),
        kontext({"outputFormat": "png"}, {"outputFormat": "png"}),
        kontext({"safetyTolerance": "6"}, {"safetyTolerance": 2}),
        kontext({"safetyTolerance": "0"}, {"safetyTolerance": 0}),
        kontext({"safetyTolerance": 6}, {"safetyTolerance": 6, "aspectRatio": "1:1"}, images=0),
        kontext({"seed": "42", "samples": 4, "resolution": "2K"}, {}),
        Option(FLUX_2, {}, FLUX_2_USUAL),
        Option(FLUX_2, {"width": 0, "height": 0}, {"aspect_ratio": "auto", "resolution": "1K"}, images=1),
        Option(FLUX_2, {"width": 1024, "height": 768}, {"aspect_ratio": "4:3", "resolution": "1K"}),
        Option(FLUX_2, {"width": 1024, "height": 2048}, {"aspect_ratio": "9:16", "resolution": "2K"}),
        Option(FLUX_2, {"resolution": "4K"}, {"aspect_ratio": "auto", "resolution": "2K"}, images=1),
        Option(FLUX_2, {"seed": 1, "outputFormat": "png"}, FLUX_2_USUAL),
        Option(
            NANO_2_1,
            {"aspectRatio": "8:1", "resolution": "2K", "outputFormat": "jpeg"},
            {"aspect_ratio": "8:1", "resolution": "2K", "output_format": "jpg"},
        ),
        Option(
            NANO_PRO,
            {"aspectRatio": "", "resolution": "4K", "outputFormat": "png"},
            {"aspect_ratio": "auto", "resolution": "4K", "output_format": "png"},
            images=1,
        ),
        Option("nano-banana-2-lite", {"resolution": "1K", "outputFormat": "png"}, {"aspect_ratio": "1:1"}),
        Option(
            NANO_EDIT,
            {"aspectRatio": "4:5", "outputFormat": "jpeg"},
            {"image_size": "4:5", "output_format": "jpeg"},
            images=1,
        ),
        Option(
            GPT,
            {"aspectRatio": "21:9", "quality": "high", "background": "transparent", "samples": 2},
            {"aspect_ratio": "21:9", "resolution": "1K", "background": "transparent"},
        ),
    ),
    impossible=(
        Refusal(KONTEXT, "at most one image", images=2),
        Refusal(FLUX_2, "at most 8 images", images=9),
        Refusal(NANO_2_1, "at most 14 images", images=15),
    ),
    bad_input=Refusal(FLUX_2, "prompt: String should have at least 3 characters", inputs={"prompt": "ab"}),
    no_model=Refusal("some/model", "some/model"),
    callbacks=True,
    check_url="/api/v1/chat/credit",
    check_message="Credits left: 1,234.5",
    refusals={Fault.SERVER_ERROR: "Server exception"},
    endings={
        Fault.PROMPT_MODERATED: "violating content policies",
        Fault.RESULT_MODERATED: "blocked by the upstream safety filter",
        Fault.FAILED: "Internal server error",
    },
    busy_pause=10,
    state=("submitted_at",),
    uploaded=RED,
)
