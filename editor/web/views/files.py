"""Images, behind signed links."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from editor.access import lookups
from editor.errors import NotFound
from editor.media import links, store
from editor.models import Image


@require_safe
def image_file(request: HttpRequest, token: str) -> HttpResponse:
    """The bytes that a link names. The link itself is the right to see them, until it expires."""
    link = links.verify(token)
    image = Image.objects.filter(pk=link.image_id).first()
    if image is None:
        raise NotFound("This image does not exist any more.")
    name, content_type = _file(image, link.variant)
    filename = _filename(image) if link.download else None
    expires_in = (link.expires_at - timezone.now()).total_seconds()
    headers = links.response_headers(content_type, expires_in, filename)
    return HttpResponse(store.read(name), headers=headers)


@require_safe
def lasting_file(request: HttpRequest, token: str) -> HttpResponse:
    """The bytes that a link of a program names. The link works until the image is in the trash."""
    image_id, variant = links.verify_lasting(token)
    name, content_type = _file(lookups.linked_image(image_id), variant)
    return HttpResponse(store.read(name), headers=links.lasting_headers(content_type))


@require_safe
def brief_file(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """The bytes of a result. The link works for some minutes, unless the image is put into the trash."""
    link = links.verify_brief(token)
    image = lookups.linked_image(link.image_id)
    expires_in = (link.expires_at - timezone.now()).total_seconds()
    return HttpResponse(
        store.read(image.storage_name), headers=links.brief_headers(image.content_type, expires_in)
    )


def _file(image: Image, variant: str) -> tuple[str, str]:
    """Where a variant of the image is stored, and its content type."""
    if variant == store.ORIGINAL:
        return image.storage_name, image.content_type
    return store.thumbnail_name(image.storage_name, int(variant)), "image/webp"


def _filename(image: Image) -> str:
    return f"edit-{str(image.id)[:8]}-v{image.version}.{image.content_type.removeprefix('image/')}"
