"""Callbacks from providers wake up polling. Their contents are neither trusted nor read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from editor import events
from editor.access import accounts
from editor.engine import requests
from editor.providers import registry


@csrf_exempt
@require_POST
async def callback(request: HttpRequest, provider: str, token: str) -> HttpResponse:
    """POST from a provider to a URL that only it received: 200, or 404 for an unknown URL.

    401 for a wrong signature. The job is then polled at once with our own key, so a forged callback
    can do no more than that. The response is the same for a job that has ended, since providers
    retry callbacks that are rejected.
    """
    job_id = requests.read_callback_token(token=token, provider=provider)
    if job_id is None:
        return JsonResponse({"error": "Not found."}, status=404)
    genuine = await registry.get(provider).is_genuine(
        account=accounts.given(provider=provider, key=""),
        body=request.body,
        headers={name.lower(): value for name, value in request.headers.items()},
    )
    if not genuine:
        return JsonResponse({"error": "The signature is invalid."}, status=401)
    await events.wake_up(job_id)
    return JsonResponse({"ok": True})
