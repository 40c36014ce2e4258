"""An image with its recipe, as the export of a workspace lists it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from editor.media.file_names import EXTENSIONS, stem
from editor.models import Image, Job, JobImage, User


def file_name(image: Image) -> str:
    """Its path in the export. Part of the id makes it unique."""
    title = image.job.prompt if image.job else image.original_name.rpartition(".")[0]
    folder = "masks" if image.kind == Image.Kind.MASK else "images"
    return f"{folder}/{stem(title, image.label)}-{image.pk.hex[:16]}{EXTENSIONS[image.content_type]}"


def recipe(image: Image) -> dict[str, Any]:
    """What is known of the image. `edit` is None for one that was not made here.

    `image` with its job, their people and presets, and the job's images: `queries.export`.
    """
    return {
        "file": file_name(image),
        "id": str(image.pk),
        "kind": image.kind,
        "name": image.original_name,
        "created_at": image.created_at.isoformat(),
        "created_by": _person(image.created_by),
        "content_type": image.content_type,
        "width": image.width,
        "height": image.height,
        "bytes": image.size,
        "version": image.version,
        "parent": _id(image.parent_id),
        "first_version": _id(image.root_id),
        "edit": _edit(image.job, image) if image.job else None,
    }


def _edit(job: Job, image: Image) -> dict[str, Any]:
    return {
        "id": str(job.pk),
        "sample": image.position,
        "model": job.model,
        "tier": job.tier or None,
        "prompt": job.prompt,
        "sent_prompt": job.sent_prompt,
        "inputs": job.inputs,
        "seed": job.known_seed,
        "style": {"name": job.style.name, "version": job.style_version} if job.style else None,
        "character": (
            {"name": job.character.name, "version": job.character_version} if job.character else None
        ),
        "images": _images(job, JobImage.Role.SOURCE, JobImage.Role.REFERENCE, JobImage.Role.CHARACTER),
        "mask": next(iter(_images(job, JobImage.Role.MASK)), None),
        "provider": job.provider,
        "own_key": job.own_key,
        "credits": job.charged,
        "submitted_via": job.channel,
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
    }


def _images(job: Job, *roles: JobImage.Role) -> list[str]:
    return [str(place.image_id) for role in roles for place in job.job_images.all() if place.role == role]


def _person(user: User | None) -> dict[str, str] | None:
    return {"name": user.name, "email": user.email} if user else None


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None
