"""list_jobs and cancel_job."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from editor.access import lookups
from editor.access.actor import Actor
from editor.access.scopes import READ, WRITE
from editor.concurrency.threads import in_thread
from editor.mcp.tools import rows, schemas
from editor.mcp.tools.base import Annotations, Answer, Arguments, Call, Tool
from editor.models import Job
from editor.operations import jobs
from editor.queries import jobs as job_queries


class ListJobs(Arguments):
    page: int = Field(1, ge=1, le=1_000, description="Page number, starting at 1.")
    per_page: int = Field(10, ge=1, le=50, description="Jobs per page.")
    status: Literal["pending", "processing", "completed", "failed", "canceled"] | None = Field(
        None, description="Only jobs with this status."
    )


class Jobs(BaseModel):
    jobs: list[rows.JobOut]
    has_more: bool


class CancelJob(Arguments):
    job_id: str = Field(description="As returned by edit_image and list_jobs.")


async def _list_jobs(call: Call, parsed: ListJobs) -> Answer:
    found, more = await in_thread(
        job_queries.page,
        call.actor.workspace,
        number=parsed.page,
        size=parsed.per_page,
        status=parsed.status,
    )
    rendered = Jobs(jobs=[rows.job(row, base_url=call.base_url) for row in found], has_more=more)
    return Answer(rendered.model_dump(mode="json"))


async def _cancel_job(call: Call, parsed: CancelJob) -> Answer:
    row = await in_thread(_cancel, call.actor, parsed.job_id)
    return Answer(rows.job(row, base_url=call.base_url).model_dump(mode="json"))


def _cancel(actor: Actor, job_id: str) -> Job:
    return job_queries.read(jobs.cancel(actor=actor, job=lookups.job(actor, job_id)).id)


LIST_JOBS = Tool(
    name="list_jobs",
    title="List jobs",
    description="Lists the edits of this workspace, the most recent first, with their results.",
    annotations=Annotations(read_only=True, destructive=False, idempotent=True, open_world=False),
    scope=READ,
    arguments=ListJobs,
    input_schema=schemas.of_input(ListJobs),
    output_schema=schemas.of_output(Jobs),
    run=_list_jobs,
)
CANCEL_JOB = Tool(
    name="cancel_job",
    title="Cancel a job",
    description="Cancels an edit that has not ended. All its credits are refunded.",
    annotations=Annotations(read_only=False, destructive=True, idempotent=True, open_world=False),
    scope=WRITE,
    arguments=CancelJob,
    input_schema=schemas.of_input(CancelJob),
    output_schema=schemas.of_output(rows.JobOut),
    run=_cancel_job,
)
