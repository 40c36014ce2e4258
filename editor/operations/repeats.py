"""Edits that are submitted once more."""

from __future__ import annotations

from typing import Any

from editor import catalog
from editor.access.actor import Actor
from editor.catalog import seeds
from editor.errors import NotFound
from editor.media import store
from editor.models import Job, JobImage
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.queries import pricing


def repeat(*, actor: Actor, job: Job, idempotency_key: str, new_seed: bool = False) -> Job:
    """Submit an earlier job once more: same images, prompt, model, inputs and presets.

    Presets are used in their current version.

    new_seed  draw another seed: a variation instead of the same result

    Raises as `jobs.submit` does.
    """
    if job.style_version and not job.style_id:
        raise NotFound("The style of this edit was deleted.")
    if job.character_version and not job.character_id:
        raise NotFound("The character of this edit was deleted.")
    places = list(job.job_images.select_related("image"))
    own = (JobImage.Role.SOURCE, JobImage.Role.REFERENCE)
    mask = next((place.image for place in places if place.role == JobImage.Role.MASK), None)
    request = NewEdit(
        prompt=job.prompt,
        model=job.model,
        provider=job.provider if job.own_key else pricing.PLATFORM,
        image_ids=tuple(place.image_id for place in places if place.role in own),
        mask=store.read(mask.storage_name) if mask else None,
        inputs=_inputs(job, new_seed=new_seed),
        style_id=job.style_id,
        character_id=job.character_id,
        idempotency_key=idempotency_key,
    )
    return jobs.submit(actor=actor, request=request)


def _inputs(job: Job, *, new_seed: bool) -> dict[str, Any]:
    """The job's inputs with another seed, or with the one that its provider reported."""
    model, inputs = catalog.catalog().models.get(job.model), dict(job.inputs)
    if model and seeds.has_seed(model):
        inputs[seeds.SEED] = seeds.draw(model) if new_seed else job.known_seed
    return inputs
