"""Views of OpenAI's images API. Source: the contract's sections 1 to 8."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from editor import retry_after
from editor.access.actor import Actor
from editor.access.scopes import READ, WRITE
from editor.compat.openai import answers, edits, forms, translate
from editor.compat.openai.errors import StillRunning, UnknownModel, rendered
from editor.compat.openai.forms import Form
from editor.concurrency.per_loop import PerLoop
from editor.concurrency.semaphore import FairSemaphore
from editor.concurrency.threads import in_storage_thread, in_thread
from editor.errors import EditorError
from editor.gateway.requests import View, caller, forget_body, needs, origin
from editor.queries import model_aliases, pricing, usage_rules
from editor.queries.pricing import Choice

FORMS_AT_ONCE = 2  # in this process: each keeps a thread busy
CREATED = 1_795_219_200  # clients require a date for each model; the catalogue has none

TRIES = "x-stainless-retry-count"  # OpenAI's clients send no Idempotency-Key, but count their retries

_slots = PerLoop(lambda: FairSemaphore(FORMS_AT_ONCE))


def _error_responses(view: View) -> View:
    @wraps(view)
    async def wrapper(request: HttpRequest, **named: Any) -> HttpResponseBase:
        try:
            return await view(request, **named)
        except EditorError as error:
            return _refusal(request, error)

    return wrapper


def _refusal(request: HttpRequest, error: EditorError) -> HttpResponse:
    it = rendered(error)
    headers = retry_after.headers(error)
    again = it.again
    if isinstance(error, StillRunning):
        again = bool(_key(request)) or TRIES in request.headers  # a retry waits for the same job
    elif it.status >= 500 and _key(request):
        again = False  # the same key means the same failure
    if not again:
        headers["X-Should-Retry"] = "false"
    return JsonResponse(it.body(), status=it.status, headers=headers)


def _key(request: HttpRequest) -> str:
    return request.headers.get("idempotency-key", "")


@csrf_exempt
@require_POST
@_error_responses
@needs(WRITE)
async def generate(request: HttpRequest) -> HttpResponseBase:
    """POST /v1/images/generations: images from a prompt alone."""
    return await _respond(request, caller(request).actor, forms.read_json(request), kind="image_generation")


@csrf_exempt
@require_POST
@_error_responses
@needs(WRITE)
async def edit(request: HttpRequest) -> HttpResponseBase:
    """POST /v1/images/edits: one or more images edited by prompt, optionally within a mask."""
    actor = caller(request).actor
    async with _slots.get().slot(str(actor.workspace.id)):
        form = await in_thread(forms.read_multipart, request)
    return await _respond(request, actor, form, kind="image_edit")


async def _respond(request: HttpRequest, actor: Actor, form: Form, *, kind: str) -> HttpResponseBase:
    """Start the job and wait for its results. `kind` is the prefix of its events' names."""
    parsed = translate.read(form.fields)
    job = await edits.start(
        actor=actor,
        form=form,
        parsed=parsed,
        key=_key(request),
        is_retry=request.headers.get(TRIES, "0") != "0",
    )
    form.close()  # the wait may be long
    forget_body(request)
    if parsed.stream:
        return StreamingHttpResponse(answers.events(job, kind=kind), content_type="text/event-stream")
    row = await edits.ended(job)
    content = await in_storage_thread(answers.body, row, as_url=parsed.as_url, base_url=origin(request))
    headers = {"Content-Length": str(len(content)), "X-Credits-Charged": str(row.charged)}
    if job.repeated:
        headers["Idempotency-Replayed"] = "true"
    return HttpResponse(content, content_type="application/json", headers=headers)


@require_safe
@_error_responses
@needs(READ)
async def models(request: HttpRequest) -> HttpResponseBase:
    """GET /v1/models: everything that can be sent as `model` and can run now."""
    found = await in_thread(_models, caller(request).actor)
    return JsonResponse({"object": "list", "data": [_row(name, choice) for name, choice in found.items()]})


@require_safe
@_error_responses
@needs(READ)
async def model(request: HttpRequest, name: str) -> HttpResponseBase:
    """GET /v1/models/{name}."""
    found = await in_thread(_models, caller(request).actor)
    if name not in found:
        raise UnknownModel(f"The model '{name[:100]}' does not exist.", fields={"model": "Unknown."})
    return JsonResponse(_row(name, found[name]))


def _models(actor: Actor) -> dict[str, Choice]:
    """The choices that the rules allow, by name: aliases, then tiers, then the catalogue's models."""
    offered = pricing.offer(workspace=actor.workspace, rules=usage_rules.of(actor))
    own = {**offered.tiers, **offered.models}
    named = {name: own.get(target) for name, target in model_aliases.targets().items()} | own
    return {name: choice for name, choice in named.items() if choice and not choice.refusal}


def _row(name: str, choice: Choice) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": choice.model.vendor}
