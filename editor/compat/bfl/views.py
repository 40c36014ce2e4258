"""The BFL-compatible API: submit an edit, poll its result, get the credits."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from editor.access import credentials, lookups
from editor.access.actor import Actor
from editor.access.scopes import READ, WRITE
from editor.compat.bfl import polling, translate
from editor.compat.bfl.errors import WrongFields
from editor.compat.bfl.translate import Endpoint, ParsedRequest
from editor.concurrency.per_loop import PerLoop
from editor.concurrency.semaphore import FairSemaphore
from editor.concurrency.threads import in_thread
from editor.errors import InvalidInput, NotFound
from editor.gateway.requests import caller, needs, origin, whole_body
from editor.models import Job
from editor.operations import intake
from editor.operations.intake import WrongImage
from editor.queries import credits as credit_queries
from editor.queries import jobs as job_queries
from editor.representations import bfl

# A body with images takes about four times its size in memory while it is parsed.
LARGE = 1024 * 1024  # bytes
LARGE_AT_ONCE = 2  # in this process
_large_slots = PerLoop(lambda: FairSemaphore(LARGE_AT_ONCE))


@needs(WRITE)
async def submit(request: HttpRequest, target: str) -> HttpResponseBase:
    """Start an edit with the model that BFL has under this name. Responds at once."""
    endpoint = translate.endpoint(target)
    if endpoint is None:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    actor = caller(request).actor
    parsed = await _parsed(request, endpoint, actor)
    try:
        job = await intake.submit(actor=actor, submission=parsed.submission)
    except WrongImage as error:
        raise translate.in_its_field(parsed, error) from error
    except InvalidInput as error:
        raise translate.in_their_names(endpoint, error) from error
    pixels = await in_thread(job_queries.input_pixels, job.id)
    base_url = origin(request)
    url = polling.address(job.id, base_url=base_url)
    return JsonResponse(translate.submitted(job, input_pixels=pixels, polling_url=url))


@require_GET
async def result(request: HttpRequest) -> JsonResponse:
    """A task's status. Without the signed URL from the submit response, the workspace's key is needed.

    The URL works as long as the key that it was made for.
    """
    task = request.GET.get("id")
    if task is None:
        missing = {"type": "missing", "loc": ["query", "id"], "msg": "Field required", "input": None}
        raise WrongFields([missing])
    actor = None
    if not polling.verify(task, request.GET.get(polling.SIGNATURE, "")):
        who = caller(request)
        who.require(READ)
        actor = who.actor
    try:
        job = await in_thread(_read, actor, task)
    except NotFound:
        return JsonResponse(bfl.not_found(task), status=404)
    body = bfl.result(job, base_url=origin(request))
    return JsonResponse(body, status=404 if body["status"] == bfl.NOT_FOUND else 200)


@require_GET
@needs(READ)
async def credits(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"credits": await in_thread(credit_queries.balance, caller(request).actor.workspace)})


result.scope = READ  # type: ignore[attr-defined]  # without the signed URL


async def _parsed(request: HttpRequest, endpoint: Endpoint, actor: Actor) -> ParsedRequest:
    """Parse the request. Only a few large bodies are parsed at once; others need no slot."""
    if not _is_large(request):
        return await in_thread(_understand, request, endpoint)
    async with _large_slots.get().slot(str(actor.workspace.id)):
        return await in_thread(_understand, request, endpoint)


def _is_large(request: HttpRequest) -> bool:
    """A body without a Content-Length also counts as large."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return not 0 < len(length) <= len(str(LARGE)) or int(length) > LARGE


def _understand(request: HttpRequest, endpoint: Endpoint) -> ParsedRequest:
    return translate.read(endpoint, whole_body(request), origin=origin(request))


def _read(actor: Actor | None, task: str) -> Job:
    """The job and its results; without an actor, the signed URL itself grants access.

    Raises NotFound, and what `credentials.check_job` raises.
    """
    if actor:
        job = lookups.job(actor, task)
    else:
        job = lookups.linked_job(UUID(task))
        credentials.check_job(job)
    return job_queries.read(job.id)
