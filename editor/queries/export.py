"""All images of a workspace, page by page."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from editor.models import Image

PAGE = 200


def page(workspace_id: UUID, after: Image | None) -> list[Image]:
    """The next images and masks that are not in the trash, oldest first. Two queries."""
    rows = Image.objects.filter(workspace=workspace_id, trashed_at=None)
    if after:
        rows = rows.filter(created_at__gte=after.created_at).filter(
            Q(created_at__gt=after.created_at) | Q(pk__gt=after.pk)
        )
    rows = rows.select_related("created_by", "job__style", "job__character")
    return list(rows.prefetch_related("job__job_images").order_by("created_at", "pk")[:PAGE])
