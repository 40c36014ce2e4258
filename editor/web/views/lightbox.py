"""One edit with its whole recipe: a page, or over htmx the content of the gallery's lightbox."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.recipe import Lightbox, edit_lightbox, image_lightbox
from editor.errors import NotFound
from editor.models import Image
from editor.operations import repeats
from editor.queries import gallery
from editor.web.decorators import MemberRequest, member
from editor.web.forms.gallery import read
from editor.web.htmx import is_fragment
from editor.web.views.edits import run_accepted


@require_GET
@member(Permission.VIEW)
def image(request: MemberRequest, image_id: str) -> HttpResponse:
    """A result, with its neighbours in the filter."""
    return _image(request, lookups.image(request.actor, image_id))


@require_GET
@member(Permission.VIEW)
def edit(request: MemberRequest, job_id: str) -> HttpResponse:
    """An edit without a result; if it has one by now, that result."""
    job = lookups.job(request.actor, job_id)
    if result := gallery.first_result(job):
        return _image(request, result)
    job = gallery.edit(request.actor.workspace, job)
    return _answer(request, edit_lightbox(request.actor, job, read(request.GET)))


@require_POST
@member(Permission.EDIT)
def again(request: MemberRequest, job_id: str) -> HttpResponse:
    """Run the recipe of an edit again, with `seed=new` as a variation; the Studio shows its progress."""
    job = repeats.repeat(
        actor=request.actor,
        job=lookups.job(request.actor, job_id),
        idempotency_key=request.POST.get("idempotency_key", "")[:80],
        new_seed=request.POST.get("seed") == "new",
    )
    if is_fragment(request):
        return run_accepted(request)
    if job.parent_id:
        return redirect("studio_version", request.actor.workspace.slug, job.parent_id)
    return redirect("studio", request.actor.workspace.slug)


def _image(request: MemberRequest, image: Image) -> HttpResponse:
    result = gallery.result(request.actor.workspace, image)
    if result is None:
        raise NotFound("This image was not made by an edit.")
    return _answer(request, image_lightbox(request.actor, result, read(request.GET)))


def _answer(request: MemberRequest, lightbox: Lightbox) -> HttpResponse:
    template = "gallery/_lightbox.html" if is_fragment(request) else "gallery/lightbox.html"
    context = {"edit": lightbox, "nav": "gallery", "in_dialog": is_fragment(request)}
    return render(request, template, context)
