"""The Studio page and the fragments that htmx swaps into it."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from editor import catalog
from editor.models import Image, Membership, Role, Style, Workspace
from tests.factories import make_member, make_workspace
from tests.web.requests import HTMX, signed_in
from tests.web.rows import add_completed, add_image, add_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def url(workspace: Workspace, name: str, *parts: object) -> str:
    return reverse(name, args=[workspace.slug, *parts])


def test_the_empty_studio_offers_to_choose_an_image(workspace: Workspace, client: Client) -> None:
    page = client.get(url(workspace, "studio")).content.decode()
    for message in ("What should change?", "Choose image", "Run", "Versions", "Try the sample image: Coffee"):
        assert message in page
    assert f'hx-ws:connect="/ws/w/{workspace.slug}/?rights=owner-1&since=' in page


def test_a_versions_page_shows_it_with_its_source(workspace: Workspace, client: Client) -> None:
    source = add_image(workspace)
    result = add_completed(workspace, source, version=2, user=workspace.members.get())
    page = client.get(url(workspace, "studio_version", result.id)).content.decode()
    assert "<html" in page
    assert f'id="stage-{result.id}"' in page
    assert "Compare" in page
    assert f'name="images" value="{result.id}"' in page
    node = page.partition(f'id="rail-{result.id}"')[2].partition(">")[0]
    assert 'aria-current="true"' in node


def test_htmx_gets_only_the_parts_that_change(workspace: Workspace, client: Client) -> None:
    image = add_image(workspace)
    part = client.get(url(workspace, "studio_version", image.id), headers=HTMX).content.decode()
    assert "<html" not in part
    for target in ("#chips", "#rail", "#prompt-error"):
        assert f'hx-target="{target}"' in part


def test_a_whole_page_requested_by_htmx_is_a_page(workspace: Workspace, client: Client) -> None:
    headers = {**HTMX, "HX-Request-Type": "full"}
    page = client.get(url(workspace, "studio_version", add_image(workspace).id), headers=headers)
    assert "<html" in page.content.decode()


def test_a_prompt_in_the_url_is_filled_in_and_escaped(workspace: Workspace, client: Client) -> None:
    page = client.get(url(workspace, "studio"), {"prompt": "</textarea><script>alert(1)</script>"})
    assert "<script>alert" not in page.content.decode()
    assert "&lt;/textarea&gt;&lt;script&gt;alert(1)" in page.content.decode()


@pytest.mark.parametrize(
    "data",
    [
        {"tier": "gold"},
        {"model": "no/such"},
        {"tier": "pro", "seed": "nan"},
        {"provider": "openai"},
        {"idempotency_key": "x" * 500},
        {"prompt": "x" * 11_000},
        {"style": "not-a-style"},
    ],
)
def test_an_invalid_query_shows_the_studio_with_defaults(
    workspace: Workspace, client: Client, data: dict[str, str]
) -> None:
    assert client.get(url(workspace, "studio"), data).status_code == 200


def test_a_sample_is_copied_once_per_user(workspace: Workspace, client: Client) -> None:
    first = client.post(url(workspace, "sample", "coffee"))
    second = client.post(url(workspace, "sample", "coffee"), headers=HTMX)
    image = Image.objects.get()
    assert (image.original_name, image.from_sample) == ("coffee.jpg", True)
    assert first["Location"] == second["HX-Push-Url"] == url(workspace, "studio_version", image.id)
    assert Image.objects.count() == 1


@pytest.mark.parametrize("name", ["no-such", "coffee-thumb", "CREDITS"])
def test_an_unknown_sample_is_not_found(workspace: Workspace, client: Client, name: str) -> None:
    assert client.post(url(workspace, "sample", name)).status_code == 404
    assert client.post(f"/w/{workspace.slug}/samples/..%2f..%2fcss/").status_code == 404


@pytest.mark.parametrize("model", [model.id for model in catalog.catalog().models.values()])
def test_the_inputs_of_each_model(workspace: Workspace, client: Client, model: str) -> None:
    part = client.get(url(workspace, "inputs"), {"model": model}, headers=HTMX).content.decode()
    assert "<html" not in part
    for option in catalog.get_model(model).options:
        assert f'name="{option.name}"' in part


def test_the_models_are_one_list_by_vendor_and_the_selected_one_is_named(
    workspace: Workspace, client: Client
) -> None:
    page = client.get(url(workspace, "studio"), {"model": "openai/gpt-image-2.6-flare"}).content.decode()
    for group in (
        page.partition('id="model-list"')[2].partition("Prices are for one image")[0].split("<legend>")[1:]
    ):
        vendor = group.partition("</legend>")[0]
        listed = re.findall(r'id="model-([^"]+)"', group)
        assert listed == [one.id for one in catalog.catalog().models.values() if one.vendor == vendor]
    assert re.search(r'value="openai/gpt-image-2.6-flare"[^>]*checked', page)
    part = client.get(url(workspace, "inputs"), {"tier": "pro"}, headers=HTMX).content.decode()
    now = part.partition('hx-target="#model-now">')[2].partition("</hx-partial>")[0]
    assert "FLUX.1 Kontext [max]" in now


def test_values_are_kept_if_they_are_still_valid(workspace: Workspace, client: Client) -> None:
    part = client.get(url(workspace, "inputs"), {"tier": "pro", "seed": "4711"}, headers=HTMX)
    assert 'value="4711"' in part.content.decode()
    part = client.get(url(workspace, "inputs"), {"tier": "pro", "seed": "much"}, headers=HTMX)
    assert "much" not in part.content.decode()
    part = client.get(url(workspace, "inputs"), {"tier": "creative", "samples": "3"}, headers=HTMX)
    assert re.search(r'name="samples" value="3"[^>]*checked', part.content.decode())


@pytest.mark.parametrize(
    ("zone", "hours"), [("Asia/Tokyo", "+09:00"), ("", "+00:00"), ("../../etc/passwd", "+00:00")]
)
def test_times_are_in_the_browsers_time_zone(
    workspace: Workspace, client: Client, zone: str, hours: str
) -> None:
    client.cookies["tz"] = zone
    page = client.get(url(workspace, "credits")).content.decode()
    assert re.search(rf'<time datetime="[-0-9T:]+{re.escape(hours)}">', page)


@pytest.mark.parametrize("tier", [tier.id for tier in catalog.catalog().tiers.values()])
def test_the_price_of_each_tier(workspace: Workspace, client: Client, tier: str) -> None:
    price = catalog.get_model(catalog.get_tier(tier).model).credits
    part = client.post(url(workspace, "quote"), {"tier": tier}, headers=HTMX).content.decode()
    assert f"{price} credits" in part
    assert f"{100 - price} credits left after" in part


def test_samples_are_counted_in_the_price(workspace: Workspace, client: Client) -> None:
    part = client.post(url(workspace, "quote"), {"tier": "creative", "samples": "3"}, headers=HTMX)
    assert "6 credits" in part.content.decode()


def test_a_price_beyond_the_balance_is_marked(workspace: Workspace, client: Client) -> None:
    poor = make_workspace(name="Poor", balance=3, owner=workspace.members.get())
    part = client.post(url(poor, "quote"), {"tier": "standard"}, headers=HTMX).content.decode()
    assert "Needs 4 credits, 3 left" in part


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"tier": "gold"}, 400),
        ({"model": "no/such"}, 400),
        ({"tier": "pro", "seed": "nan"}, 400),
        ({"tier": "creative", "samples": "-1"}, 400),
        ({"provider": "openai"}, 422),
    ],
)
def test_a_price_for_invalid_input_is_refused(
    workspace: Workspace, client: Client, fields: dict[str, str], status: int
) -> None:
    response = client.post(url(workspace, "quote"), fields, headers=HTMX)
    assert response.status_code == status
    assert '<p class="problem">' in response.content.decode()


def test_a_result_on_stage_is_a_new_entry_of_the_browsers_history(
    workspace: Workspace, client: Client
) -> None:
    image = add_image(workspace)
    path = url(workspace, "studio_version", image.id)

    def pushed(*, shown: str, at: str, address: str) -> str | None:
        headers = {**HTMX, "HX-Current-URL": f"http://testserver{address}"}
        response = client.get(url(workspace, "rail"), {"shown": shown, "at": at}, headers=headers)
        return response.get("HX-Push-Url")

    studio = url(workspace, "studio")
    assert pushed(shown="", at=str(image.id), address=studio) == path
    # Fetched once more before the list is up to date:
    assert pushed(shown="", at=str(image.id), address=f"{path}?like=1") is None
    # Back has been pressed, and the page is still there:
    assert pushed(shown=str(image.id), at=str(image.id), address=studio) is None
    assert pushed(shown="", at="", address=studio) is None


def test_live_jobs_are_on_the_page(workspace: Workspace, client: Client) -> None:
    job = add_job(workspace)
    page = client.get(url(workspace, "studio")).content.decode()
    assert f'id="job-{job.id}"' in page
    assert url(workspace, "cancel", job.id) in page


def test_styles_of_others_are_not_offered(workspace: Workspace, client: Client) -> None:
    Style.objects.create(workspace=workspace, name="Our look", prompt="sepia")
    Style.objects.create(workspace=make_workspace(name="Rivals"), name="Their look", prompt="sepia")
    page = client.get(url(workspace, "studio")).content.decode()
    assert "Our look" in page
    assert "Their look" not in page


def test_a_viewer_sees_a_studio_without_controls_and_why(workspace: Workspace) -> None:
    image = add_image(workspace)
    viewer = signed_in(make_member(workspace, role=Role.VIEWER))
    for path in (url(workspace, "studio"), url(workspace, "studio_version", image.id)):
        page = viewer.get(path).content.decode()
        assert "You can view this workspace, but not edit images in it." in page
        for control in ('id="run"', 'id="file"', 'id="prompt"', 'name="tier"'):
            assert control not in page


def test_the_price_says_what_a_monthly_cap_leaves(workspace: Workspace) -> None:
    capped = make_member(workspace, role=Role.EDITOR)
    Membership.objects.filter(workspace=workspace, user=capped).update(monthly_cap=3)
    response = signed_in(capped).post(url(workspace, "quote"), {"tier": "standard"}, headers=HTMX)
    assert "Needs 4 credits: 3 of 3 left of your monthly cap until" in response.content.decode()


def test_an_edit_can_be_loaded_into_the_studio(workspace: Workspace, client: Client) -> None:
    style = Style.objects.create(workspace=workspace, name="Ours", prompt="at night")
    job = add_job(
        workspace,
        prompt="make it warmer",
        tier="pro",
        model="black-forest-labs/flux-kontext-max",
        inputs={"seed": 7, "aspectRatio": "16:9"},
        style=style,
    )
    image = add_image(workspace)
    page = client.get(url(workspace, "studio_version", image.id), {"like": str(job.id)}).content.decode()
    assert re.search(r">make it warmer</textarea>", page)
    assert re.search(r'value="pro"[^>]*checked', page)
    assert re.search(r'<option value="16:9"\s+selected', page)
    assert re.search(rf'value="{style.id}"[^>]*checked', page)
    assert 'value="7"' not in page


def test_an_edit_of_another_workspace_cannot_be_loaded(workspace: Workspace, client: Client) -> None:
    job = add_job(make_workspace(name="Other"), prompt="their secret")
    image = add_image(workspace)
    response = client.get(url(workspace, "studio_version", image.id), {"like": str(job.id)})
    assert response.status_code == 404
    assert client.get(url(workspace, "studio"), {"like": "no id"}).status_code == 404
