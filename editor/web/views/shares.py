"""Links that show one image to people without an account: creating them, and the pages they open."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.shares import shared_page, shares_view
from editor.errors import NotFound
from editor.gateway.requests import origin
from editor.media import links, store
from editor.models import Image
from editor.operations import shares
from editor.web.decorators import MemberRequest, member
from editor.web.downloads import file_response
from editor.web.htmx import is_fragment


@require_http_methods(["GET", "POST"])
@member(Permission.VIEW, post=Permission.SHARE)
def image_shares(request: MemberRequest, image_id: str) -> HttpResponse:
    """The links to an image; POST creates one and shows it once."""
    image, new_url = lookups.image(request.actor, image_id), ""
    if request.method == "POST":
        days = request.POST.get("days", "")
        number = int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0
        _, token = shares.create(
            actor=request.actor,
            image=image,
            days=number,
            title=request.POST.get("title", ""),
            with_before="before" in request.POST,
        )
        new_url = f"{origin(request)}{reverse('share', args=[token])}"
    return _dialog(request, image, new_url)


@require_POST
@member(Permission.SHARE)
def revoke(request: MemberRequest, share_id: str) -> HttpResponse:
    """Revoke a link, with immediate effect."""
    share = lookups.share(request.actor, share_id)
    shares.revoke(actor=request.actor, share=share)
    if is_fragment(request):
        return _dialog(request, share.image, "")
    return redirect("shares", request.actor.workspace.slug, share.image_id)


def _dialog(request: MemberRequest, image: Image, new_url: str) -> HttpResponse:
    template = "gallery/_shares.html" if is_fragment(request) else "gallery/shares.html"
    context = {
        "shares": shares_view(request.actor, image, new_url),
        "nav": "gallery",
        "in_dialog": is_fragment(request),
    }
    return render(request, template, context)


@require_safe
def share(request: HttpRequest, token: str) -> HttpResponseBase:
    """The page that a link opens: the image, and the one before if chosen, without who made it and how."""
    try:
        link = shares.find(token)
    except NotFound as error:
        return _unseen(render(request, "share/gone.html", {"message": error.message}, status=404))
    return _unseen(render(request, "share/share.html", {"page": shared_page(link, token, origin(request))}))


@require_safe
def share_file(request: HttpRequest, token: str, variant: str) -> HttpResponseBase:
    """The image file: "full" to save, else a preview size. The link is checked each time."""
    return _file(request, shares.find(token).image, variant)


@require_safe
def share_before_file(request: HttpRequest, token: str, variant: str) -> HttpResponseBase:
    """The same for the image before the edit, if the link shows it."""
    before = shares.find(token).shown_before
    if before is None:
        raise NotFound("This link shows one image only.")
    return _file(request, before, variant)


def _file(request: HttpRequest, image: Image, variant: str) -> HttpResponseBase:
    if variant not in links.VARIANTS:
        raise NotFound("There is no such size of this image.")
    if variant == store.ORIGINAL:
        name, headers = image.storage_name, links.response_headers(image.content_type, 0, "image")
    else:
        name = store.thumbnail_name(image.storage_name, int(variant))
        headers = links.response_headers("image/webp", 0)
    return _unseen(file_response(request, name, workspace_id=image.workspace_id, headers=headers))


def _unseen(response: HttpResponseBase) -> HttpResponseBase:
    """Keep the page out of search engines, and its URL from other sites."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
