"""Image files, served by signed links."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from editor.access import lookups
from editor.errors import EditorError
from editor.media import links, store
from editor.media.file_names import stem
from editor.models import Image
from editor.queries import gallery
from editor.web.decorators import MemberRequest, member
from editor.web.downloads import file_response
from editor.web.htmx import error_response

P = ParamSpec("P")

TRASHED_VARIANTS = {False: "512", True: "1280"}  # whether it is asked for large


def readable_by_any_site(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let pages of other sites read the response (CORS), whatever its status: also 304, and errors."""

    @wraps(view)
    def readable(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except EditorError as error:
            response = error_response(request, error)
        response["Access-Control-Allow-Origin"] = "*"
        return response

    return readable


@require_safe
def image_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file of a signed link, which works until it expires or the image is moved to the trash."""
    link = links.verify(token)
    image = lookups.linked_image(link.image_id)
    name, content_type = _file(image, link.variant)
    filename = stem(gallery.titles([image])[image.pk], image.label) if link.download else None
    headers = links.response_headers(content_type, _left(link), filename)
    return file_response(request, name, workspace_id=image.workspace_id, headers=headers)


@require_safe
@member
def trashed_file(request: MemberRequest, image_id: str) -> HttpResponseBase:
    """The thumbnail of an image in the trash, for members of the workspace only: no link shows it."""
    [image] = lookups.trashed_images(request.actor, [image_id])
    name, content_type = _file(image, TRASHED_VARIANTS["large" in request.GET])
    headers = links.response_headers(content_type, 0)
    return file_response(request, name, workspace_id=image.workspace_id, headers=headers)


@readable_by_any_site
@require_safe
def lasting_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file of an API client's link, which works until the image is moved to the trash."""
    image_id, variant = links.verify_lasting(token)
    image = lookups.linked_image(image_id)
    name, content_type = _file(image, variant)
    headers = links.embeddable_headers(content_type, links.KEPT_SECONDS)
    return file_response(request, name, workspace_id=image.workspace_id, headers=headers)


@require_safe
def brief_file(request: HttpRequest, token: str, name: str) -> HttpResponseBase:
    """The file of a result. The link works for some minutes, unless the image is moved to the trash."""
    link = links.verify_brief(token)
    image = lookups.linked_image(link.image_id)
    headers = links.embeddable_headers(image.content_type, _left(link))
    return file_response(request, image.storage_name, workspace_id=image.workspace_id, headers=headers)


def _left(link: links.Link) -> float:
    """Seconds until the link expires."""
    return (link.expires_at - timezone.now()).total_seconds()


def _file(image: Image, variant: str) -> tuple[str, str]:
    """Storage name and content type of a variant of the image."""
    if variant == store.ORIGINAL:
        return image.storage_name, image.content_type
    return store.thumbnail_name(image.storage_name, int(variant)), "image/webp"
