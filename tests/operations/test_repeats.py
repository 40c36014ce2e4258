"""Running a recipe again repeats the same edit."""

from __future__ import annotations

import pytest
from django.utils import timezone

from editor.access.actor import Actor
from editor.errors import NotFound
from editor.models import Character, CharacterImage, Job, Style
from editor.operations import jobs, repeats, trash
from tests.factories import make_actor, make_image, photo

pytestmark = pytest.mark.django_db

TWO_IMAGES = "black-forest-labs/flux-2-pro"
RECIPE = (
    "prompt",
    "sent_prompt",
    "model",
    "inputs",
    "style_id",
    "character_id",
    "parent_id",
    "provider",
    "price",
)


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def job(actor: Actor) -> Job:
    """An edit with every option set."""
    source, reference, likeness = (make_image(actor, colour=colour) for colour in ("red", "green", "blue"))
    style = Style.objects.create(workspace=actor.workspace, name="Ours", prompt="at night")
    character = Character.objects.create(workspace=actor.workspace, name="Mara")
    CharacterImage.objects.create(character=character, image=likeness, position=1)
    edit = jobs.NewEdit(
        prompt="make it warmer",
        model=TWO_IMAGES,
        image_ids=(source.id, reference.id),
        inputs={"seed": "7"},
        style_id=style.id,
        character_id=character.id,
        idempotency_key="first",
    )
    return jobs.submit(actor=actor, request=edit)


def places(job: Job) -> list[tuple[str, int, object]]:
    return list(job.job_images.values_list("role", "position", "image_id"))


def test_running_again_makes_a_new_job_with_the_same_recipe(actor: Actor, job: Job) -> None:
    repeated = repeats.repeat(actor=actor, job=job, idempotency_key="second")
    assert repeated.id != job.id
    assert [getattr(repeated, name) for name in RECIPE] == [getattr(job, name) for name in RECIPE]
    assert places(repeated) == places(job)
    assert repeats.repeat(actor=actor, job=job, idempotency_key="second") == repeated


def test_a_variation_differs_only_in_its_seed(actor: Actor, job: Job) -> None:
    variation = repeats.repeat(actor=actor, job=job, idempotency_key="second", new_seed=True)
    assert variation.inputs["seed"] != 7
    assert variation.inputs | {"seed": 7} == job.inputs


def test_the_seed_that_the_provider_drew_is_used_again(actor: Actor, job: Job) -> None:
    job.seed, job.inputs = 99, job.inputs | {"seed": None}
    assert repeats.repeat(actor=actor, job=job, idempotency_key="second").inputs["seed"] == 99


def test_running_again_includes_the_mask(actor: Actor) -> None:
    image = make_image(actor)
    edit = jobs.NewEdit(prompt="make it warmer", image_ids=(image.id,), mask=photo(colour="white"))
    job = jobs.submit(actor=actor, request=edit)
    repeated = repeats.repeat(actor=actor, job=job, idempotency_key="again")
    assert [place[:2] for place in places(repeated)] == [("source", 0), ("mask", 1)]


def test_running_again_uses_the_current_presets(actor: Actor, job: Job) -> None:
    Style.objects.filter(name="Ours").update(prompt="in sepia", version=2)
    repeated = repeats.repeat(actor=actor, job=job, idempotency_key="second")
    assert repeated.style_version == 2
    assert "sepia" in repeated.sent_prompt


def test_deleted_presets_and_images_are_reported_and_cost_nothing(actor: Actor, job: Job) -> None:
    Style.objects.filter(name="Ours").update(archived_at=timezone.now())
    with pytest.raises(NotFound, match="style"):
        repeats.repeat(actor=actor, job=job, idempotency_key="second")
    Style.objects.filter(name="Ours").update(archived_at=None)
    assert job.parent
    trash.discard(actor=actor, images=[job.parent])
    with pytest.raises(NotFound, match="trash"):
        repeats.repeat(actor=actor, job=job, idempotency_key="second")
    assert Job.objects.count() == 1
