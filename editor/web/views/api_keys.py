"""The workspace's API keys. A key is shown only in the response that creates it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from editor.access import lookups, signatures
from editor.access.permissions import Permission
from editor.contexts.api_keys import keys_view
from editor.contexts.directions import isolated
from editor.errors import Conflict, InvalidInput
from editor.models import ApiKey
from editor.operations import api_keys
from editor.web.decorators import MemberRequest, member
from editor.web.forms.api_keys import ApiKeyForm, CapsForm
from editor.web.htmx import is_fragment


@require_http_methods(["GET", "HEAD", "POST"])
@member(Permission.VIEW, post=Permission.KEYS)
def page(request: MemberRequest) -> HttpResponse:
    """The keys that the user may see, and a form for a new one; POST creates it and shows it once."""
    return _create(request) if request.method == "POST" else _page(request, ApiKeyForm(request.actor))


@require_POST
@member(Permission.KEYS, of_others=Permission.KEYS_MANAGE)
def rotate(request: MemberRequest, key_id: str) -> HttpResponse:
    """Replace this key with a new one, and show that once."""
    key, overlap = lookups.api_key(request.actor, key_id), request.POST.get("overlap", "")
    seconds = int(overlap) if overlap.isascii() and overlap.isdigit() and len(overlap) < 8 else -1
    try:
        new, bare = api_keys.rotate(actor=request.actor, key=key, overlap=seconds)
    except Conflict as error:
        return _refused(request, error)
    until = key.expires_at if key.is_live else None
    return _shown_once(request, new, bare, {"rotated": True, "old_until": until})


@require_POST
@member(Permission.KEYS, of_others=Permission.KEYS_MANAGE)
def limit(request: MemberRequest, key_id: str) -> HttpResponse:
    """Change what can be spent with the key: `monthly_cap` and `daily_cap`, empty for no limit."""
    key, form = lookups.api_key(request.actor, key_id), CapsForm(request.POST)
    if not form.is_valid():
        problem = "Enter a whole number of credits, or nothing for no limit."
        raise InvalidInput(problem, fields=dict.fromkeys(form.errors, problem))
    api_keys.set_caps(actor=request.actor, key=key, **form.cleaned_data)
    return _changed(request, f"Caps of key “{isolated(key.name)}” saved.")


@require_POST
@member(Permission.VIEW, of_others=Permission.KEYS_MANAGE)
def revoke(request: MemberRequest, key_id: str) -> HttpResponse:
    """Revoke the key, with immediate effect."""
    key = lookups.api_key(request.actor, key_id)
    api_keys.revoke(actor=request.actor, key=key)
    return _changed(request, f"Key “{isolated(key.name)}” revoked.")


def _changed(request: MemberRequest, text: str) -> HttpResponse:
    """The updated list, or without script the page."""
    if not is_fragment(request):
        messages.success(request, text)
        return redirect("api_keys", request.actor.workspace.slug)
    context = {"keys": keys_view(request.actor), "message": text}
    return render(request, "settings/_api_keys_swap.html", context)


def _create(request: MemberRequest) -> HttpResponse:
    form = ApiKeyForm(request.actor, request.POST)
    try:
        key, bare = api_keys.create(actor=request.actor, **form.wanted())
    except InvalidInput as error:
        if is_fragment(request):
            raise
        form.refuse(error)
        return _page(request, form, problem=error.fields.get("key_id", ""), status=400)
    except Conflict as error:
        return _refused(request, error)
    return _shown_once(request, key, bare, {"form": ApiKeyForm(request.actor)})


def _page(request: MemberRequest, form: ApiKeyForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"keys": keys_view(request.actor), "form": form, "problem": problem, "nav": "api_keys"}
    return render(request, "settings/api_keys.html", context, status=status)


def _refused(request: MemberRequest, error: Conflict) -> HttpResponse:
    """Why no key was created: beside the control, or without script on the page with all keys."""
    if is_fragment(request):
        raise error
    return _page(request, ApiKeyForm(request.actor), problem=error.message, status=error.status)


def _shown_once(request: MemberRequest, key: ApiKey, bare: str, more: dict[str, Any]) -> HttpResponse:
    """The new key and its signing secret, if any: in the page's dialog, or without script on its own page."""
    in_dialog = is_fragment(request)
    template = "settings/_api_key_made_swap.html" if in_dialog else "settings/api_key_made.html"
    created = {"name": key.name, "bare": bare, "secret": signatures.secret_of(key), **more}
    context = {"keys": keys_view(request.actor), "in_dialog": in_dialog, "nav": "api_keys", **created}
    return render(request, template, context)
