"""An image of many versions, for `bench.tree`. To be run in the portal's environment."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from bench.portal import TREE_BRANCHES, TREE_VERSIONS
from editor import catalog
from editor.models import Image, Job, Status, Workspace


@transaction.atomic  # jobs and images refer to each other
def fill(slug: str) -> None:
    """Add the versions to the workspace, without files."""
    workspace = Workspace.objects.get(slug=slug)
    model = catalog.get_model("black-forest-labs/flux-kontext-pro")
    made = {"workspace": workspace, "created_by": workspace.members.get()}
    images: list[Image] = []
    jobs: list[Job] = []
    for version in range(1, TREE_VERSIONS + 1):
        image = Image(**made, version=version, content_type="image/png", width=1200, height=800, size=1)
        image.kind, image.storage_name = Image.Kind.SOURCE, f"nowhere/{image.id}.png"
        if images:
            image.kind, image.root = Image.Kind.RESULT, images[0]
            image.parent = images[TREE_BRANCHES.get(version, version - 1) - 1]
            image.job = Job(
                **made,
                model=model.id,
                prompt=f"Version {version}: warmer light, keep the rest as it is",
                parent=image.parent,
                provider=model.routes[0].provider,
                target=model.routes[0].target,
                price=model.credits,
                charged=model.credits,
                status=Status.COMPLETED,
                time_limit=model.time_limit_seconds,
                finished_at=timezone.now() + timedelta(seconds=8),
            )
            jobs.append(image.job)
        images.append(image)
    Job.objects.bulk_create(jobs)
    Image.objects.bulk_create(images)
