"""The three tools of the Naftiko capability "Flux Image Editing API", with its names, texts and hints.

They take BFL's fields and return BFL's responses. Sources: the capability's spec, "exposes: mcp", and
BFL's OpenAPI document.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from editor import catalog
from editor.access import lookups
from editor.access.actor import Actor
from editor.access.scopes import READ, WRITE
from editor.concurrency.threads import in_thread
from editor.errors import InvalidInput
from editor.mcp.tools import rows, schemas
from editor.mcp.tools.base import Annotations, Answer, Call, Tool
from editor.mcp.tools.images import image_of
from editor.models import Job, Status
from editor.operations import intake
from editor.operations.intake import Submission
from editor.operations.jobs import NewEdit
from editor.queries import jobs as job_queries
from editor.representations import bfl

PRO = "black-forest-labs/flux-kontext-pro"
MAX = "black-forest-labs/flux-kontext-max"

# BFL's name -> catalogue name.
NAMES = {
    "aspect_ratio": "aspectRatio",
    "seed": "seed",
    "output_format": "outputFormat",
    "prompt_upsampling": "promptUpsampling",
    "safety_tolerance": "safetyTolerance",
}


class Edit(BaseModel):
    """BFL's fields and defaults; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")

    prompt: str = Field(description="What should change, or what to create if there is no image.")
    input_image: str | None = Field(
        None, description="An https URL, base64 of at most 3 MB, or an image id of this workspace."
    )
    aspect_ratio: str | None = Field(None, description="Leave it out to match the image.")
    seed: int | None = Field(None, description="Leave it out for a random one.")
    output_format: Annotated[str, BeforeValidator(lambda value: "png" if value is None else value)] = "png"
    prompt_upsampling: bool = Field(False, description="Lets the model rewrite the prompt.")
    safety_tolerance: int = 2


class Task(BaseModel):
    """An accepted edit."""

    id: str
    polling_url: str = Field(description="For clients of BFL's API. geteditresult with the id does the same.")
    cost: int = Field(description="Credits.")


class TaskArguments(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str = Field(description="As returned by the edit.")


class Result(BaseModel):
    """BFL's response to a poll."""

    model_config = ConfigDict(extra="allow")

    id: str
    status: str = Field(description="Pending, Ready, Request Moderated, Content Moderated or Error.")
    result: dict[str, Any] | None = Field(None, description="`sample` is the URL of the image.")
    progress: float | None = None
    details: Any = None


async def _edit(model: str, call: Call, parsed: Edit) -> Answer:
    given = {NAMES[name]: value for name, value in parsed.model_dump(include=set(NAMES)).items()}
    edit = NewEdit(prompt=parsed.prompt, model=model, inputs=given)
    images = (await image_of(parsed.input_image),) if parsed.input_image else ()
    try:
        job = await intake.submit(actor=call.actor, submission=Submission(edit=edit, images=images))
    except InvalidInput as error:
        raise _with_bfl_names(error) from None
    task = Task(id=str(job.id), polling_url=f"{call.base_url}/v1/get_result?id={job.id}", cost=job.price)
    return Answer(task.model_dump())


def _with_bfl_names(error: InvalidInput) -> InvalidInput:
    """The same error, with BFL's names instead of the catalogue's."""
    theirs = {ours: name for name, ours in NAMES.items()}
    if not error.fields.keys() & theirs.keys():
        return error
    fields = {theirs.get(name, name): what for name, what in error.fields.items()}
    return InvalidInput(" ".join(f"{name}: {what}" for name, what in fields.items()), fields=fields)


async def _result(call: Call, parsed: TaskArguments) -> Answer:
    row = await in_thread(_read, call.actor, parsed.id)
    pictures = await rows.pictures(row, base_url=call.base_url) if row.status == Status.COMPLETED else []
    return Answer(bfl.result(row, base_url=call.base_url), pictures)


def _read(actor: Actor, job_id: str) -> Job:
    return job_queries.read(lookups.job(actor, job_id).id)


def _edit_schema(model_id: str) -> dict[str, Any]:
    """The input schema with the values that this model offers."""
    schema = schemas.of_input(Edit)
    for name, known_as in NAMES.items():
        item = catalog.get_model(model_id).input(known_as)
        values = [option.value for option in item.options if option.value]
        match name:
            case "aspect_ratio":
                schema["properties"][name]["anyOf"][0]["enum"] = values
            case "output_format":
                schema["properties"][name]["enum"] = values
            case "safety_tolerance":
                schema["properties"][name]["enum"] = [int(value) for value in values]
            case "seed":
                schema["properties"][name]["anyOf"][0] |= {"minimum": item.minimum, "maximum": item.maximum}
    return schema


def _edit_tool(name: str, label: str, model_id: str) -> Tool:
    return Tool(
        name=name,
        title=f"FLUX.1 Kontext [{label}]",
        description=f"Edit image with FLUX.1 Kontext [{label}]",
        annotations=Annotations(read_only=False, destructive=False, idempotent=False),
        scope=WRITE,
        arguments=Edit,
        input_schema=_edit_schema(model_id),
        output_schema=schemas.of_output(Task),
        run=partial(_edit, model_id),
    )


EDIT_PRO = _edit_tool("editimagekontextpro", "pro", PRO)
EDIT_MAX = _edit_tool("editimagekontextmax", "max", MAX)
GET_RESULT = Tool(
    name="geteditresult",
    title="Get the result of an edit",
    description="Flux Poll for editing result",
    annotations=Annotations(read_only=True, destructive=False, idempotent=True),
    scope=READ,
    arguments=TaskArguments,
    input_schema=schemas.of_input(TaskArguments),
    output_schema=schemas.of_output(Result),
    run=_result,
)
