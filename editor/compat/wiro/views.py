"""Views of Wiro's API that run models, return tasks and accept files.

Errors have HTTP status 200 and Wiro's numbers, except when the caller lacks permission.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial, wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from editor import retry_after
from editor.access import lookups, task_tokens
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.access.scopes import READ, WRITE
from editor.compat.wiro import body, translate
from editor.compat.wiro.body import Body
from editor.compat.wiro.profile import OTHER, UNKNOWN, Refused, nonce, refusal
from editor.concurrency.threads import in_thread
from editor.engine import waiting
from editor.errors import Conflict, EditorError, NotAuthenticated, NotFound, PermissionDenied
from editor.gateway.profile import Headers
from editor.gateway.requests import caller, origin
from editor.media.inputs import File
from editor.models import Job
from editor.operations import intake, jobs, nonces, trash
from editor.queries import jobs as job_queries
from editor.representations import wiro

KILL_SECONDS = 10.0  # to wait for a task to end
LONGEST_LIST = 100  # tasks
DEEPEST = 100_000  # the largest `start` of a list
_IDENTIFIERS = ("taskid", "tasktoken", "socketaccesstoken")

View = Callable[..., Awaitable[dict[str, Any]]]
Answering = Callable[..., Coroutine[Any, Any, HttpResponse]]


def call(scope: str) -> Callable[[View], Answering]:
    """Decorate a view that returns a response's content: requires the scope and reads the body."""

    def decorate(view: View) -> Answering:
        @wraps(view)
        async def answer(request: HttpRequest, **place: str) -> HttpResponse:
            given = None
            try:
                who = caller(request)
                who.require(scope)
                given = await asyncio.to_thread(body.read, request)
                return JsonResponse(await view(request, who.actor, given, **place))
            except EditorError as error:
                return _refused(error)
            finally:
                if given:
                    given.close()

        answer.scope = scope  # type: ignore[attr-defined]
        return require_POST(answer)

    return decorate


def _refused(error: EditorError) -> HttpResponse:
    forbidden = isinstance(error, NotAuthenticated | PermissionDenied)
    return JsonResponse(
        refusal(translate.problems(error)),
        status=error.status if forbidden else 200,
        headers=retry_after.headers(error),
    )


async def _spend(request: HttpRequest, call: str, given: Body, *, repeatable: bool = False) -> None:
    """Use up the nonce of a signed request that is about to change something."""
    await in_thread(
        nonces.spend,
        key=caller(request).key,
        call=call,
        nonce=nonce(Headers(request.scope)),  # type: ignore[attr-defined]
        body_hash=given.digest,
        repeatable=repeatable,
    )


@call(WRITE)
async def run(request: HttpRequest, actor: Actor, given: Body, owner: str, project: str) -> dict[str, Any]:
    """POST /v1/Run/{owner}/{model}"""
    parsed = translate.parsed(translate.find_model(owner, project), given.fields)
    job = await intake.submit(
        actor=actor,
        submission=translate.submission(parsed, base_url=origin(request)),
        before_images=partial(_spend, request, "Run", given),
    )
    return wiro.envelope(taskid=str(job.number), socketaccesstoken=task_tokens.make(job.id))


@call(READ)
async def detail(request: HttpRequest, actor: Actor, given: Body) -> dict[str, Any]:
    """POST /v1/Task/Detail"""
    return await _rendered(request, await in_thread(_task, actor, given))


@call(WRITE)
async def cancel(request: HttpRequest, actor: Actor, given: Body) -> dict[str, Any]:
    """POST /v1/Task/Cancel: only queued tasks."""
    job = await in_thread(_task, actor, given)
    await _spend(request, "Cancel", given, repeatable=True)
    try:
        await in_thread(jobs.cancel, actor=actor, job=job, only_waiting=True)
    except Conflict:
        raise Refused(UNKNOWN, "Task is not in a cancellable state.") from None
    return await _rendered(request, job)


@call(WRITE)
async def kill(request: HttpRequest, actor: Actor, given: Body) -> dict[str, Any]:
    """POST /v1/Task/Kill: also running tasks. Responds when the task has ended, which takes a moment."""
    job = await in_thread(_task, actor, given)
    await _spend(request, "Kill", given, repeatable=True)
    try:
        await in_thread(jobs.cancel, actor=actor, job=job)
    except Conflict as error:
        raise Refused(UNKNOWN, f"Task could not be killed: {error.message}") from None
    await waiting.until_ended(job, seconds=KILL_SECONDS, reread=partial(job_queries.read, job.id))
    return await _rendered(request, job)


@call(READ)
async def tasks(request: HttpRequest, actor: Actor, given: Body) -> dict[str, Any]:
    """POST /v1/Task/List: the workspace's tasks of all channels, newest first."""
    name = given.text("modelName").lower()
    models = translate.models_named(name)
    if name and not models:
        return wiro.tasks([], base_url="")
    found, total = await in_thread(
        job_queries.page_with_everything,
        actor.workspace,
        start=min(translate.number(given, "start", 0), DEEPEST),
        size=min(translate.number(given, "limit", 20), LONGEST_LIST),
        oldest_first=given.text("order").upper() == "ASC",
        models=models,
    )
    return await asyncio.to_thread(wiro.tasks, found, base_url=origin(request), total=total)


@call(WRITE)
async def delete_files(request: HttpRequest, actor: Actor, given: Body) -> dict[str, Any]:
    """POST /v1/Task/InputOutputDelete: moves the files to the trash, where they can still be restored."""
    try:
        job = await in_thread(_task, actor, given)
    except Refused as error:
        raise Refused(UNKNOWN, "task-not-exist") from error
    await _spend(request, "Delete", given, repeatable=True)
    try:
        await in_thread(trash.discard_files, actor=actor, job=job)
    except Conflict:
        raise Refused(UNKNOWN, "Task must be completed or cancelled before deleting files") from None
    return wiro.envelope()


@call(WRITE)
async def upload(request: HttpRequest, actor: Actor, given: Body) -> dict[str, Any]:
    """POST /v1/File/Upload"""
    actor.require(Permission.EDIT)
    file = next((value for name, value in given.fields if name == "file"), None)
    if not isinstance(file, File):
        raise Refused(OTHER, "Request files [file] required")
    await _spend(request, "Upload", given)
    image_id = await intake.add(actor=actor, image=file)
    return wiro.upload(await in_thread(lookups.image, actor, image_id), base_url=origin(request))


def _task(actor: Actor, given: Body) -> Job:
    """The task that the body names by any of the three identifiers. Raises Refused."""
    named = next(filter(None, map(given.text, _IDENTIFIERS)), "")
    if not named:
        raise Refused(OTHER, "taskid or socketaccesstoken is required")
    job_id = task_tokens.read(named)
    try:
        return lookups.job(actor, job_id) if job_id else lookups.job_by_number(actor, named)
    except NotFound:
        raise Refused(UNKNOWN, "There is no task yet.") from None


async def _rendered(request: HttpRequest, job: Job) -> dict[str, Any]:
    row = await in_thread(job_queries.read_everything, job.id)
    return await asyncio.to_thread(wiro.tasks, [row], base_url=origin(request))
