"""The first steps in a new workspace: providers, the team, the first edit. Each can be skipped."""

from __future__ import annotations

from time import perf_counter
from urllib.parse import urlencode

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from editor.access.permissions import Permission
from editor.contexts.setup import SetupCard, refused_card, setup_cards, tested_card
from editor.errors import InvalidInput
from editor.operations import images, provider_keys
from editor.queries import workspaces
from editor.web.decorators import MemberRequest, member
from editor.web.htmx import is_fragment

FIRST_PROMPT = "Turn this into a gouache painting"


@require_safe
@member(Permission.PROVIDERS_MANAGE)
def providers(request: MemberRequest) -> HttpResponse:
    """A card for each provider, where a key can be tested and saved."""
    return _page(request)


@sensitive_post_parameters()
@require_POST
@member(Permission.PROVIDERS_MANAGE)
def test(request: MemberRequest, provider: str) -> HttpResponse:
    """Test a key at its provider, and save it unless it is refused."""
    started = perf_counter()
    try:
        async_to_sync(provider_keys.save_and_test)(
            actor=request.actor,
            provider=provider,
            key=request.POST.get("key", ""),
            secret=request.POST.get("secret", ""),
        )
    except InvalidInput as error:
        return _tested(request, refused_card(request.actor, provider, problem=error.message))
    return _tested(request, tested_card(request.actor, provider, seconds=perf_counter() - started))


@require_safe
@member(Permission.MEMBERS_MANAGE)
def team(request: MemberRequest) -> HttpResponse:
    """Where to invite people."""
    return render(request, "setup/team.html")


@require_POST
@member(Permission.EDIT)
def finish(request: MemberRequest) -> HttpResponse:
    """The Studio; before the first edit with a sample on the stage and a prompt filled in."""
    slug = request.actor.workspace.slug
    if workspaces.progress(request.actor.workspace).edit:
        return redirect("studio", slug)
    first = images.find_or_add_sample(actor=request.actor, name="coffee")
    path = reverse("studio_version", args=[slug, first.id])
    return redirect(f"{path}?{urlencode({'prompt': FIRST_PROMPT})}")


def _tested(request: MemberRequest, card: SetupCard) -> HttpResponse:
    """The card with the result, or without script the page with it."""
    if is_fragment(request):
        return render(request, "setup/_provider.html", {"setup": card})
    return _page(request, card, status=400 if card.state == "bad" else 200)


def _page(request: MemberRequest, tested: SetupCard | None = None, *, status: int = 200) -> HttpResponse:
    cards = [
        tested if tested and card.card.name == tested.card.name else card
        for card in setup_cards(request.actor)
    ]
    context = {"cards": cards, "own_keys": request.actor.workspace.plan.own_keys}
    return render(request, "setup/providers.html", context, status=status)
