"""Images, behind signed links that expire."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

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
    if link.variant == "full":
        name, content_type = image.storage_name, image.content_type
    else:
        name, content_type = store.thumbnail_name(image.storage_name, int(link.variant)), "image/webp"
    filename = _filename(image) if link.download else None
    expires_in = (link.expires_at - timezone.now()).total_seconds()
    headers = links.response_headers(content_type, expires_in, filename)
    return HttpResponse(store.read(name), headers=headers)


def _filename(image: Image) -> str:
    return f"edit-{str(image.id)[:8]}-v{image.version}.{image.content_type.removeprefix('image/')}"
