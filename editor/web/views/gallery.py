"""The gallery: the workspace's edits, filtered, starred and paged."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.gallery import (
    filter_view,
    gallery_list,
    list_count,
    list_url,
    newer_tiles,
    older_tiles,
)
from editor.operations import stars
from editor.web.back import next_url
from editor.web.decorators import MemberRequest, member
from editor.web.forms.gallery import read, read_position
from editor.web.htmx import is_fragment


@require_GET
@member(Permission.VIEW)
def gallery(request: MemberRequest) -> HttpResponse:
    """The page; over htmx the list for another filter, or with `?older=` its next tiles."""
    actor, filter = request.actor, read(request.GET)
    after = read_position(request.GET, "older")
    if is_fragment(request) and after:
        return render(request, "gallery/_tiles.html", {"list": older_tiles(actor, filter, after)})
    context = {"gallery": gallery_list(actor, filter, after=after)}
    if is_fragment(request):
        response = render(request, "gallery/_results_swap.html", context)
        response["HX-Replace-Url"] = list_url(actor.workspace, filter)
        return response
    page = {"filter": filter_view(actor.workspace, filter), "nav": "gallery"}
    return render(request, "gallery/gallery.html", context | page)


@require_GET
@member(Permission.VIEW)
def new(request: MemberRequest) -> HttpResponse:
    """Tiles added since the list was made. `?newest=` is the position of its first tile, or empty.

    A list that is not updated automatically does not send `newest`, and gets 204.
    """
    actor, filter = request.actor, read(request.GET)
    newest = read_position(request.GET, "newest")
    newer = newer_tiles(actor, filter, newest) if newest and filter.lists_images else None
    if "newest" not in request.GET or (newer and not newer.tiles):
        return HttpResponse(status=204)
    if newer and not newer.older_url:
        context = {"list": newer, "count": list_count(actor, filter)}
        return render(request, "gallery/_new.html", context)
    return render(request, "gallery/_results_swap.html", {"gallery": gallery_list(actor, filter)})


@require_POST
@member(Permission.VIEW)
def star(request: MemberRequest) -> HttpResponse:
    """Star images for the user, or with `starred=0` unstar them."""
    ids = request.POST.getlist("images")
    images = lookups.images(request.actor, ids, at_most=lookups.MAXIMUM_SELECTED)
    starred = request.POST.get("starred", "1") == "1"
    stars.set_starred(actor=request.actor, images=images, starred=starred)
    if is_fragment(request):
        return render(request, "gallery/_starred.html", {"images": images, "starred": starred})
    return redirect(next_url(request) or reverse("gallery", args=[request.actor.workspace.slug]))
