"""The trash: moving images there, listing, restoring and emptying."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.trash import emptied_message, moved_message, trash_page
from editor.operations import trash as operation
from editor.web.back import next_url
from editor.web.decorators import MemberRequest, member
from editor.web.forms.gallery import read_position
from editor.web.htmx import is_fragment


@require_GET
@member(Permission.VIEW)
def trash(request: MemberRequest) -> HttpResponse:
    """The trash, latest first; `?older=` pages back."""
    page = trash_page(request.actor, after=read_position(request.GET, "older"))
    return render(request, "gallery/trash.html", {"trash": page, "nav": "gallery"})


@require_POST
@member(Permission.EDIT)
def discard(request: MemberRequest) -> HttpResponse:
    """Move images to the trash. `next` is the page to continue with, if any."""
    actor, ids = request.actor, request.POST.getlist("images")
    images = lookups.images(actor, ids, at_most=lookups.MAXIMUM_SELECTED)
    operation.discard(actor=actor, images=images)
    message = moved_message(images)
    next_page = next_url(request)
    if is_fragment(request) and not next_page:
        response = render(request, "gallery/_trashed.html", {"images": images, "message": message})
        response["HX-Trigger"] = "trashed"
        return response
    messages.success(request, message)
    next_page = next_page or reverse("gallery", args=[actor.workspace.slug])
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": next_page})
    return redirect(next_page)


@require_POST
@member(Permission.EDIT)
def restore(request: MemberRequest) -> HttpResponse:
    """Restore images from the trash."""
    actor = request.actor
    images = lookups.trashed_images(actor, request.POST.getlist("images"))
    operation.restore(actor=actor, images=images)
    messages.success(request, "Restored." if len(images) == 1 else f"{len(images)} images restored.")
    return redirect(next_url(request) or reverse("trash", args=[actor.workspace.slug]))


@require_POST
@member(Permission.EDIT)
def empty(request: MemberRequest) -> HttpResponse:
    """Permanently delete the files of the images in the trash."""
    count = operation.empty(actor=request.actor)
    messages.success(request, emptied_message(request.actor, count))
    return redirect("trash", request.actor.workspace.slug)
