"""The workspace's own provider keys. A stored key is never shown."""

from __future__ import annotations

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.provider_keys import provider_card, provider_cards
from editor.errors import InvalidInput
from editor.operations import provider_keys
from editor.web.decorators import MemberRequest, member
from editor.web.forms.provider_keys import KeyForm
from editor.web.htmx import is_fragment

# By whether the provider accepted the key; None: it could not be reached.
_TESTED = {
    True: "The key works.",
    False: "The key has a problem.",
    None: "The key could not be tested.",
}


@require_safe
@member(Permission.PROVIDERS_MANAGE)
def page(request: MemberRequest) -> HttpResponse:
    """A card for each provider: the state of the workspace's key, and a form for a new one."""
    return _page(request)


@sensitive_post_parameters()
@require_POST
@member(Permission.PROVIDERS_MANAGE)
def save(request: MemberRequest, provider: str) -> HttpResponse:
    """Store a new key, or replace one, if the provider accepts it."""
    form = KeyForm(provider, request.POST)
    try:
        key = async_to_sync(provider_keys.save_and_test)(
            actor=request.actor,
            provider=provider,
            key=form.data.get("key", ""),
            secret=form.data.get("secret", ""),
        )
    except InvalidInput as error:
        if is_fragment(request):
            raise
        for field, message in error.fields.items():
            if field not in form.errors:
                form.add_error(field, message)
        return _page(request, form, provider)
    return _done(request, provider, "Key saved. It works." if key.checked_at else "Key saved.")


@require_POST
@member(Permission.PROVIDERS_MANAGE)
def test(request: MemberRequest, key_id: str) -> HttpResponse:
    """Test the stored key with the provider."""
    key = lookups.provider_key(request.actor, key_id)
    verdict = async_to_sync(provider_keys.test)(actor=request.actor, key=key)
    return _done(request, key.provider, _TESTED[verdict.accepted])


@require_POST
@member(Permission.PROVIDERS_MANAGE)
def enable(request: MemberRequest, key_id: str) -> HttpResponse:
    """Enable the key; disable it if `enabled` is not 1."""
    key, enabled = lookups.provider_key(request.actor, key_id), request.POST.get("enabled") == "1"
    provider_keys.set_enabled(actor=request.actor, key=key, enabled=enabled)
    return _done(request, key.provider, "Key enabled." if enabled else "Key disabled.")


@require_POST
@member(Permission.PROVIDERS_MANAGE)
def remove(request: MemberRequest, key_id: str) -> HttpResponse:
    """Delete the key."""
    key = lookups.provider_key(request.actor, key_id)
    provider_keys.remove(actor=request.actor, key=key)
    return _done(request, key.provider, "Key removed.")


def _page(request: MemberRequest, refused: KeyForm | None = None, provider: str = "") -> HttpResponse:
    """All cards; a refused form shows its errors beside its fields."""
    cards = [
        (card, refused if refused and card.name == provider else KeyForm(card.name))
        for card in provider_cards(request.actor)
    ]
    context = {"cards": cards, "own_keys": request.actor.workspace.plan.own_keys, "nav": "providers"}
    return render(request, "settings/providers.html", context, status=400 if refused else 200)


def _done(request: MemberRequest, provider: str, message: str) -> HttpResponse:
    """The updated card, or without script the page."""
    if not is_fragment(request):
        messages.success(request, message)
        return redirect("provider_keys", request.actor.workspace.slug)
    card = provider_card(request.actor, provider)
    context = {"card": card, "form": KeyForm(provider), "message": message}
    return render(request, "settings/_provider_swap.html", context)
