"""The contract's spec of Wiro."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.faults import Fault, Step
from tests.emulators.records import Task
from tests.emulators.wiro import Wiro
from tests.providers.contract.spec import PROMPT, RED, SEED, Option, ProviderSpec, Refusal
from tests.providers.edits import contents

FLUX_2 = "black-forest-labs/flux-2-pro"
FLEX = "black-forest-labs/flux-2-flex"
KLEIN = "black-forest-labs/FLUX.2-klein-9B"
KONTEXT = "black-forest-labs/flux-kontext-pro"
DEV = "wiro/flux_kontext_dev_with_2_image"


def images(task: Task) -> list[bytes]:
    return contents(task.request["inputImage"])


def fields(task: Task) -> Mapping[str, Any]:
    """Without the seed, which the adapter chooses if none is given."""
    return {name: value for name, value in task.request.items() if name not in ("prompt", "seed")}


WIRO = ProviderSpec(
    adapter=Adapter,
    emulator=Wiro,
    target=FLUX_2,
    label="Wiro",
    public_url="https://api.wiro.ai",
    path=f"/v1/Run/{FLUX_2}",
    body={"prompt": PROMPT, "seed": str(SEED)},
    seeded=True,
    auth=("x-api-key", "{key}"),
    images=images,
    fields=fields,
    options=(
        Option(FLUX_2, {"width": 1024, "height": 768}, {"width": 1024, "height": 768}),
        Option(FLUX_2, {"width": 0, "height": 0}, {"width": 0, "height": 0}),
        Option(FLUX_2, {"safetyTolerance": 6}, {"safetyTolerance": 5}),
        Option(FLUX_2, {"outputFormat": "jpeg"}, {"outputFormat": "jpeg"}),
        Option(FLUX_2, {"promptUpsampling": "true", "aspectRatio": "1:1", "samples": 2}, {}),
        Option(FLEX, {"steps": 20, "guidance": 4.5}, {"steps": 20, "guidance": 4.5}),
        Option(KLEIN, {"guidance": 4.5, "outputFormat": "png"}, {"scale": 4.5, "samples": 1}),
        Option(KONTEXT, {"promptUpsampling": "true"}, {"promptUpsampling": "true"}),
        Option(KONTEXT, {"safetyTolerance": "2", "aspectRatio": "", "outputFormat": None}, {}),
        Option(
            KONTEXT,
            {"aspectRatio": "16:9", "outputFormat": "jpeg"},
            {"aspectRatio": "16:9", "outputFormat": "jpeg"},
        ),
        Option(DEV, {"scale": 3.5, "steps": 30, "samples": 2}, {"scale": 3.5, "steps": 30, "samples": 2}),
    ),
    impossible=(
        Refusal(KONTEXT, "at most one image", images=2),
        Refusal(DEV, "at most 2 images", images=3),
        Refusal(FLUX_2, "at most 8 images", images=9),
    ),
    bad_input=Refusal(FLUX_2, "[width] must be between 64 and 2048", inputs={"width": 32}),
    no_model=Refusal("wiro/gone", "slug-owner-project-not-exist"),
    samples=DEV,
    callbacks=True,
    check_url="/v1/Task/Detail",
    check_step=Step.POLL,
    refusals={Fault.SERVER_ERROR: "Internal server error"},
    endings={
        Fault.PROMPT_MODERATED: "the prompt was flagged",
        Fault.RESULT_MODERATED: "the output was flagged",
        Fault.FAILED: "the model ended with an error",
    },
    state=("seed", "submitted_at", "token"),
    uploaded=RED,
    cancels=True,
    shortened={"editor.providers.wiro.adapter.CANCEL_PAUSES": (0.01,)},
)
