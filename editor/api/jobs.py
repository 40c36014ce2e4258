"""Jobs: list, get, cancel and stream events. The last two are additions."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Path, Query, Router, Status

from editor.access import lookups
from editor.access.actor import Actor
from editor.api import events, schemas
from editor.api.authentication import READ, WRITE
from editor.api.examples import JOB
from editor.api.schemas import errors
from editor.concurrency.threads import in_thread
from editor.errors import InvalidInput
from editor.gateway.requests import caller, origin
from editor.models import Job
from editor.operations import jobs
from editor.queries import jobs as job_queries
from editor.representations import api

router = Router()

DEEPEST = 100_000  # only this many of the newest jobs can be listed
LONGEST_NUMBER = 18  # digits of an event's number; longer ones are invalid

JobId = Annotated[
    str,
    Path(description="A `job_id` from POST /process.", example=JOB),
]
# One event of the stream.
EVENT = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
    "required": ["event", "data"],
}


@router.get(
    "/jobs",
    response={200: schemas.JobsOut} | errors(),
    auth=READ,
    operation_id="jobs",
    summary="List jobs",
    tags=["Jobs"],
)
async def list_jobs(
    request: HttpRequest,
    page: Annotated[int, Query(ge=1, le=DEEPEST, description="Page number, starting at 1.")] = 1,
    per_page: Annotated[int, Query(ge=1, le=100, description="Jobs per page.")] = 50,
    status: Annotated[api.StatusName | None, Query(description="Only jobs with this status.")] = None,
) -> Any:
    """The workspace's jobs, the most recent first."""
    if page * per_page > DEEPEST:
        raise InvalidInput(f"Only the newest {DEEPEST:,} jobs can be listed.")
    found, more = await in_thread(
        job_queries.page, caller(request).actor.workspace, number=page, size=per_page, status=status
    )
    base_url = origin(request)
    return Status(
        200,
        schemas.JobsOut(
            data=[api.job(job, base_url=base_url) for job in found],
            pagination=schemas.Page(page=page, per_page=per_page, has_more=more),
        ),
    )


@router.get(
    "/jobs/{job_id}",
    response={200: schemas.JobOut} | errors(404),
    auth=READ,
    operation_id="job",
    summary="Get a job",
    tags=["Jobs"],
)
async def get_job(request: HttpRequest, job_id: JobId) -> Any:
    """Returns one job, running or ended."""
    found = await in_thread(_read, caller(request).actor, job_id)
    return Status(200, schemas.JobOut(data=api.job(found, base_url=origin(request))))


def _read(actor: Actor, job_id: str) -> Job:
    return job_queries.read(lookups.job(actor, job_id).id)


@router.post(
    "/jobs/{job_id}/cancel",
    response={200: schemas.JobOut} | errors(404, 409),
    auth=WRITE,
    operation_id="cancel_job",
    summary="Cancel a job",
    tags=["Jobs"],
)
async def cancel_job(request: HttpRequest, job_id: JobId) -> Any:
    """Cancels a job. All its credits are refunded.

    A pending job ends before the response; a running one ends a moment later.
    """
    found = await in_thread(_cancel, caller(request).actor, job_id)
    return Status(200, schemas.JobOut(data=api.job(found, base_url=origin(request))))


def _cancel(actor: Actor, job_id: str) -> Job:
    return job_queries.read(jobs.cancel(actor=actor, job=lookups.job(actor, job_id)).id)


@router.get(
    "/jobs/{job_id}/events",
    response=errors(404),
    auth=READ,
    operation_id="job_events",
    summary="Follow a job",
    tags=["Jobs"],
    openapi_extra={
        "responses": {
            200: {
                "description": "Events as they happen, then one named after the job's final status.",
                "content": {"text/event-stream": {"schema": EVENT}},
            }
        }
    },
)
async def job_events(request: HttpRequest, job_id: JobId) -> StreamingHttpResponse:
    """Streams the job's steps as server-sent events, from the beginning or after `Last-Event-ID`.

    Each event has the name of a step, as in the job's `stage`, and its time. The last one is named
    `completed`, `failed` or `canceled` and contains the job. If the key stops working, the stream
    ends with `error`; the job keeps running.
    """
    job = await in_thread(lookups.job, caller(request).actor, job_id)
    last = request.headers.get("last-event-id", "")
    after = int(last) if last.isdecimal() and len(last) <= LONGEST_NUMBER else 0
    stream = events.stream(job, after=after, base_url=origin(request))
    return StreamingHttpResponse(stream, content_type="text/event-stream")
