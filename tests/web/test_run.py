"""Run and Cancel: the messages to the user, and that a mistake costs nothing."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from editor.models import CreditAccount, Image, Job, JobImage, Status, User, Workspace
from editor.operations import credits, jobs
from tests.factories import limit_jobs, make_actor, make_image, make_workspace, photo
from tests.web.requests import HTMX, signed_in
from tests.web.rows import add_image, add_job

pytestmark = pytest.mark.django_db

PRICE = 4  # of the tier "standard"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(balance=10)


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def run(client: Client, *, headers: dict[str, str] = HTMX, **fields: Any) -> Any:
    data = {"prompt": "make it warmer", "tier": "standard", **fields}
    return client.post(reverse("run", args=["acme-studio"]), data, headers=headers)


def assert_refused(response: Any, status: int, message: str, *, balance: int = 10) -> None:
    """A fragment beside the prompt that says nothing was charged; no job, no charge."""
    text = response.content.decode()
    assert response.status_code == status
    assert "<html" not in text
    assert '<p class="problem">' in text
    assert message in text
    assert text.count("Nothing was charged.") == 1
    assert not Job.objects.filter(idempotency_key__isnull=False).exists()
    account = CreditAccount.objects.get(workspace__slug="acme-studio")
    assert (account.balance, account.held) == (balance, 0)


def test_run_returns_a_new_key_for_the_next_press(workspace: Workspace, client: Client) -> None:
    response = run(client, idempotency_key="first")
    job = Job.objects.get()
    text = response.content.decode()
    assert (response.status_code, job.channel, job.tier) == (202, "web", "standard")
    assert 'name="idempotency_key"' in text
    assert 'value="first"' not in text
    assert CreditAccount.objects.get(workspace=workspace).balance == 10 - PRICE


def test_without_script_run_goes_back_to_the_page(workspace: Workspace, client: Client) -> None:
    image = add_image(workspace)
    response = run(client, headers={}, images=str(image.id))
    assert response["Location"] == reverse("studio_version", args=[workspace.slug, image.id])
    assert run(client, headers={})["Location"] == reverse("studio", args=[workspace.slug])


def test_images_mask_and_options_arrive(workspace: Workspace, client: Client) -> None:
    source = make_image(make_actor(workspace))
    reference = add_image(workspace, kind=Image.Kind.REFERENCE)
    response = run(
        client,
        tier="",
        model="black-forest-labs/flux-2-pro",
        images=[str(source.id), str(reference.id)],
        mask=SimpleUploadedFile("mask.png", photo(colour="white"), "image/png"),
        seed="7",
        width="64",
    )
    assert response.status_code == 202, response.content.decode()
    job = Job.objects.get()
    assert (job.model, job.inputs["seed"], job.inputs["width"]) == ("black-forest-labs/flux-2-pro", 7, 64)
    assert job.parent == source
    used = list(job.job_images.values_list("role", "image_id"))
    assert used[:2] == [(JobImage.Role.SOURCE, source.id), (JobImage.Role.REFERENCE, reference.id)]
    assert used[2][0] == JobImage.Role.MASK


def test_each_edit_draws_another_seed(workspace: Workspace, client: Client) -> None:
    for seed in ("", ""):
        assert run(client, seed=seed).status_code == 202
    first, second = (job.inputs["seed"] for job in Job.objects.all())
    assert first != second


def test_a_chosen_seed_is_used(workspace: Workspace, client: Client) -> None:
    run(client, seed="7")
    assert Job.objects.get().inputs["seed"] == 7


@pytest.mark.parametrize(
    ("source", "chosen", "stored"),
    [
        ("PNG", {}, "png"),
        ("JPEG", {}, "jpeg"),
        ("JPEG", {"outputFormat": "match"}, "jpeg"),
        ("WEBP", {"outputFormat": "match"}, "png"),
        ("PNG", {"outputFormat": "jpeg"}, "jpeg"),
    ],
)
def test_the_result_has_the_format_of_the_image_unless_one_was_chosen(
    workspace: Workspace, client: Client, source: str, chosen: dict[str, Any], stored: str
) -> None:
    image = make_image(make_actor(workspace), format=source)
    assert run(client, images=str(image.id), **chosen).status_code == 202
    assert Job.objects.get().inputs["outputFormat"] == stored


def test_without_an_image_the_format_is_the_catalogues(workspace: Workspace, client: Client) -> None:
    model = "black-forest-labs/flux-2-pro"
    assert run(client, tier="", model=model, outputFormat="match").status_code == 202
    assert Job.objects.get().inputs["outputFormat"] == "png"


def test_a_double_click_is_one_job(workspace: Workspace, client: Client) -> None:
    first = run(client, idempotency_key="once")
    second = run(client, idempotency_key="once")
    assert first.status_code == second.status_code == 202
    assert Job.objects.count() == 1
    assert CreditAccount.objects.get(workspace=workspace).balance == 10 - PRICE


def test_a_prompt_that_was_changed_after_a_lost_response_is_another_job(
    workspace: Workspace, client: Client
) -> None:
    """The form still has the key of the response that did not come."""
    run(client, idempotency_key="once", prompt="make it warmer")
    run(client, idempotency_key="once", prompt="make it colder")
    assert Job.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt": " "}, "Describe what"),
        ({"prompt": "x" * 10_001}, "10,000"),
        ({"prompt": "a\0b"}, "cannot be stored"),
        ({"tier": "gold"}, "no such tier"),
        ({"tier": "", "model": "no/such"}, "no such model"),
        ({"seed": "-1"}, "seed: Enter a whole number"),
        ({"seed": "nan"}, "seed: Enter a whole number"),
        ({"seed": "9" * 30}, "seed: Enter a whole number"),
        ({"idempotency_key": "x" * 81}, "reload it"),
        ({"idempotency_key": "a\0b"}, "reload it"),
        ({"mask": SimpleUploadedFile("mask.png", b"x", "image/png")}, "mask"),
    ],
)
def test_invalid_input_is_reported_and_free(
    workspace: Workspace, client: Client, fields: dict[str, Any], message: str
) -> None:
    assert_refused(run(client, **fields), 400, message)


def test_seventeen_images_are_too_many(workspace: Workspace, client: Client) -> None:
    image = add_image(workspace)
    assert_refused(run(client, images=[str(image.id)] * 17), 400, "At most 16 images")


def test_an_unknown_image_is_reported_and_free(workspace: Workspace, client: Client) -> None:
    assert_refused(run(client, images=str(uuid.uuid4())), 404, "no such image in this workspace")


def test_a_provider_without_a_key_is_reported_and_free(workspace: Workspace, client: Client) -> None:
    assert_refused(run(client, provider="openai"), 422, "openai")


def test_too_few_credits_are_reported_and_free(workspace: Workspace, client: Client) -> None:
    credits.adjust(workspace=workspace, amount=-7, actor=None, note="")
    assert_refused(run(client), 402, "this edit needs 4, but the workspace has 3", balance=3)


def test_the_plans_limit_is_reported_and_free(workspace: Workspace, client: Client) -> None:
    limit_jobs(workspace, concurrent_jobs=1)
    add_job(workspace, price=0)
    response = run(client)
    assert_refused(response, 429, "the plan allows 1 at a time")
    assert response["Retry-After"] == "5"


def test_without_script_an_error_is_a_page(client: Client) -> None:
    response = run(client, headers={}, prompt="")
    text = response.content.decode()
    assert response.status_code == 400
    assert "<html" in text
    assert "Nothing was charged." in text


def test_cancel_ends_a_queued_job_and_refunds_its_credits(workspace: Workspace, client: Client) -> None:
    run(client)
    job = Job.objects.get()
    response = client.post(reverse("cancel", args=[workspace.slug, job.id]), headers=HTMX)
    job.refresh_from_db()
    assert (response.status_code, job.status) == (204, Status.CANCELED)
    assert CreditAccount.objects.get(workspace=workspace).balance == 10


def test_an_ended_job_cannot_be_canceled(workspace: Workspace, client: Client) -> None:
    job = add_job(workspace, status=Status.COMPLETED)
    response = client.post(reverse("cancel", args=[workspace.slug, job.id]), headers=HTMX)
    assert response.status_code == 409
    assert "This edit is already completed." in response.content.decode()


def test_any_editor_may_cancel_what_another_started(workspace: Workspace) -> None:
    other = User.objects.create_user("other@example.test")
    workspace.memberships.create(user=other)
    job = jobs.submit(actor=make_actor(workspace), request=jobs.NewEdit(prompt="make it warmer"))
    response = signed_in(other).post(reverse("cancel", args=[workspace.slug, job.id]))
    assert response["Location"] == reverse("studio", args=[workspace.slug])
    assert not Job.objects.get().is_live
