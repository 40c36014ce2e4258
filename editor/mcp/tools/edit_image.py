"""edit_image: one edit with any model, from the call to the finished image."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from editor.access.lookups import MAXIMUM_IMAGES
from editor.access.scopes import WRITE
from editor.catalog.validation import MAXIMUM_PROMPT
from editor.concurrency.threads import in_thread
from editor.contexts import jobs as contexts
from editor.engine import waiting
from editor.errors import InvalidInput
from editor.gateway.outcome import failure
from editor.mcp.tools import rows, schemas
from editor.mcp.tools.base import Annotations, Answer, Arguments, Call, Report, Tool
from editor.mcp.tools.images import image_of
from editor.models import Job
from editor.operations import intake
from editor.operations.intake import Submission
from editor.operations.jobs import NewEdit
from editor.queries import jobs as job_queries
from editor.queries.pricing import PLATFORM

LONGEST_WAIT = 300  # seconds
USUAL_WAIT = 50  # seconds: many clients time out after a minute, and would not get the job id
SMALLEST_STEP = 0.01  # percent: progress must increase with each report
ALMOST = 99.0  # percent: the provider may be done, but the image must still be checked and stored

_PICTURE = "an https URL, base64 of at most 3 MB, or an image id of this workspace"


class EditImage(Arguments):
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=MAXIMUM_PROMPT)] = Field(
        description="What to create, or what to change in the first image."
    )
    images: list[str] = Field(
        default_factory=list,
        max_length=MAXIMUM_IMAGES,
        description=f"The image to edit, then any reference images; each {_PICTURE}. "
        "Leave it out to create an image from the prompt alone.",
    )
    mask: str = Field(
        "",
        description=f"White where the first image can change: {_PICTURE}. Leave it out to edit all of it.",
    )
    model: str = Field(
        "",
        description="An exact model. Leave it out to use model_tier.",
        json_schema_extra=lambda schema: schema.update(enum=["", *schemas.models()]),
    )
    model_tier: str = Field(
        "",
        description="The quality, which selects the model; if neither is given, the workspace's default.",
        json_schema_extra=lambda schema: schema.update(enum=["", *schemas.tiers()]),
    )
    provider: str = Field(
        PLATFORM,
        description="platform costs credits; a provider's name runs on the workspace's own key for it.",
        json_schema_extra=lambda schema: schema.update(enum=schemas.providers()),
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Options of the model. list_models returns each model's options and their defaults.",
        json_schema_extra=lambda schema: schema.update(schemas.parameters()),
    )
    style_id: UUID | None = Field(None, description="A style of this workspace.")
    character_id: UUID | None = Field(None, description="A character of this workspace to keep consistent.")
    wait_seconds: int = Field(
        USUAL_WAIT,
        ge=0,
        le=LONGEST_WAIT,
        description="How long to wait for the result. The edit keeps running after that; 0 returns at once.",
    )


async def _run(call: Call, parsed: EditImage) -> Answer:
    if parsed.model and parsed.model_tier:
        raise InvalidInput("Set model or model_tier, not both.", fields={"model_tier": "Not with a model."})
    edit = NewEdit(
        prompt=parsed.prompt,
        model=parsed.model,
        tier=parsed.model_tier,
        provider=parsed.provider,
        inputs=parsed.parameters,
        style_id=parsed.style_id,
        character_id=parsed.character_id,
    )
    submission = Submission(
        edit=edit,
        images=tuple([await image_of(text) for text in parsed.images]),
        mask=await image_of(parsed.mask) if parsed.mask else None,
    )
    job = await intake.submit(actor=call.actor, submission=submission)
    row = await _until_ended(job, seconds=parsed.wait_seconds, report=call.report)
    if error := failure(row):
        error.message = f"{error.message} The job was {row.id}."
        raise error
    note = "The edit is still running. Call geteditresult with this job_id as id." if row.is_live else None
    rendered = rows.job(row, base_url=call.base_url, note=note)
    return Answer(rendered.model_dump(mode="json"), await rows.pictures(row, base_url=call.base_url))


async def _until_ended(job: Job, *, seconds: float, report: Report) -> Job:
    """Wait until the job ends, `seconds` pass or the process stops; reports progress."""
    until = asyncio.get_running_loop().time() + seconds
    progress, reported = 0.0, ""
    async with waiting.watching(job) as watch:
        while True:
            ended = watch.ended.is_set()
            watch.changed.clear()
            row = await in_thread(job_queries.read, job.id)
            if ended or not row.is_live:
                return row
            step, percent = contexts.step_now(row), min(row.percent or 0, ALMOST)
            if step != reported or percent > progress:
                progress, reported = max(progress + SMALLEST_STEP, percent), step
                await report(progress, 100, step)
            try:
                async with asyncio.timeout_at(until):
                    await watch.changed.wait()
            except TimeoutError:
                return await in_thread(job_queries.read, job.id)


TOOL = Tool(
    name="edit_image",
    title="Create or edit an image",
    description="Creates an image from a prompt, or edits images as the prompt says, with any model of the "
    "catalogue. Costs the workspace credits. Waits for the result and reports progress.",
    annotations=Annotations(read_only=False, destructive=False, idempotent=False, open_world=True),
    scope=WRITE,
    arguments=EditImage,
    input_schema=schemas.of_input(EditImage),
    output_schema=schemas.of_output(rows.JobOut),
    run=_run,
)
