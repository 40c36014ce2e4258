"""Access to each route: nobody sees, or learns of, anything of another workspace."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from editor.models import (
    ApiKey,
    Image,
    Invitation,
    Job,
    Membership,
    ProviderKey,
    Role,
    ShareLink,
    WebhookDelivery,
    WebhookEndpoint,
)
from editor.web.urls import urlpatterns
from tests.factories import UserFactory, make_member, photo
from tests.fake_providers import install
from tests.web.requests import HTMX, body, signed_in
from tests.web.routes import IN_A_WORKSPACE, OUTSIDE, TAKES_BOTH, Method, Rows, make_rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fake_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Providers that accept every key, without a network."""
    install(monkeypatch)


@pytest.fixture
def own() -> Rows:
    return make_rows("Acme")


@pytest.fixture
def theirs() -> Rows:
    return make_rows("Rivals")


each_route = pytest.mark.parametrize("name", IN_A_WORKSPACE)


def ask(client: Client, method: Method, url: str, **fields: Any) -> Any:
    if method == "get":
        return client.get(url, fields)
    return client.post(url, {"prompt": "make it warmer", **fields, **_file(url)})


def _file(url: str) -> dict[str, Any]:
    return {"files": SimpleUploadedFile("a.png", photo(), "image/png")} if url.endswith("upload/") else {}


def test_every_route_is_in_a_table() -> None:
    put_together = {"api_reference", "api_team_reference"}  # in imageeditor/urls.py, from pages and API
    assert {pattern.name for pattern in urlpatterns} | put_together == {*IN_A_WORKSPACE, *OUTSIDE}


@each_route
def test_anonymous_requests_are_redirected_to_sign_in(own: Rows, name: str) -> None:
    route = IN_A_WORKSPACE[name]
    url = route.url(name, own)
    response = ask(Client(), route.method, url)
    assert (response.status_code, response["Location"]) == (302, f"{reverse('account_login')}?next={url}")


@each_route
def test_a_stranger_cannot_tell_whether_a_workspace_exists(own: Rows, theirs: Rows, name: str) -> None:
    route = IN_A_WORKSPACE[name]
    stranger = signed_in(theirs.workspace.members.get())
    existing = ask(stranger, route.method, route.url(name, own))
    missing = ask(stranger, route.method, route.url(name, own, slug="no-such-workspace"))
    assert existing.status_code == missing.status_code == 404
    assert body(existing) == body(missing)
    assert own.workspace.name not in body(existing)


@each_route
@pytest.mark.parametrize(
    "rights",
    [{"role": Role.VIEWER}, {"role": Role.EDITOR, "access_image_editor": False}],
    ids=["viewer", "no permission"],
)
def test_viewers_can_read_and_not_change(own: Rows, name: str, rights: dict[str, Any]) -> None:
    route = IN_A_WORKSPACE[name]
    client = signed_in(make_member(own.workspace, **rights))
    response = ask(client, route.method, route.url(name, own), **route.fields(own))
    assert response.status_code == (route.status if route.looking else 403)
    own.job.refresh_from_db()
    own.share.refresh_from_db()
    own.api_key.refresh_from_db()
    assert own.job.is_live
    assert own.share.is_live
    assert own.api_key.is_live
    assert (WebhookEndpoint.objects.count(), WebhookDelivery.objects.count()) == (1, 1)
    assert (Job.objects.count(), Image.objects.filter(trashed_at=None).count()) == (2, 3)


def test_a_sample_in_the_url_is_not_copied_for_viewers(own: Rows) -> None:
    viewer = signed_in(make_member(own.workspace, role=Role.VIEWER))
    url = reverse("studio", args=[own.workspace.slug])
    assert viewer.get(url, {"sample": "coffee"}).status_code == 200
    assert Image.objects.count() == 3


@pytest.mark.parametrize("missing", ["another workspace's", "nobody's", "no id at all"])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("studio_version", "image"),
        ("rail", "at"),
        ("cancel", "job"),
        ("approve", "job"),
        ("decline", "job"),
        ("run", "images"),
        ("run", "style"),
        ("run", "character"),
        ("again", "job"),
        ("gallery_image", "result"),
        ("gallery_edit", "job"),
        ("gallery_zip", "images"),
        ("gallery_star", "images"),
        ("gallery_trash", "images"),
        ("gallery_restore", "images"),
        ("shares", "image"),
        ("share_revoke", "share"),
        ("member_change", "member"),
        ("member_remove", "member"),
        ("member_owner", "member"),
        ("member_second_factor", "member"),
        ("invitation_again", "invitation"),
        ("invitation_revoke", "invitation"),
        ("api_key_rotate", "api_key"),
        ("api_key_revoke", "api_key"),
        ("provider_key_test", "key"),
        ("provider_key_enable", "key"),
        ("provider_key_remove", "key"),
        ("webhook_resend", "delivery"),
        ("webhook_change", "endpoint"),
        ("webhook_secret", "endpoint"),
        ("webhook_test", "endpoint"),
        ("webhook_remove", "endpoint"),
    ],
)
def test_rows_of_another_workspace_are_not_found(
    own: Rows, theirs: Rows, name: str, field: str, missing: str
) -> None:
    row = getattr(theirs, {"at": "image", "images": "image"}.get(field, field))
    row_id = getattr(row, "user_id", row.id)
    value = {"another workspace's": str(row_id), "nobody's": str(uuid.uuid4()), "no id at all": "x"}[missing]
    route = IN_A_WORKSPACE[name]
    client = signed_in(own.workspace.members.get())
    if route.parts(own):
        url = route.url(name, own).replace(str(route.parts(own)[0]), value)
        response = ask(client, route.method, url)
    else:
        response = ask(client, route.method, route.url(name, own), **{field: value})
    assert response.status_code == 404
    assert Job.objects.count() == 4
    assert not Job.objects.exclude(cancel_requested_at=None).exists()
    assert not Image.objects.exclude(trashed_at=None).exists()
    assert not ShareLink.objects.exclude(revoked_at=None).exists()
    assert ProviderKey.objects.filter(is_enabled=True).count() == 2
    assert (Membership.objects.count(), Invitation.objects.filter(revoked_at=None).count()) == (2, 2)
    assert [key.is_live for key in ApiKey.objects.all()] == [True, True]
    assert (WebhookEndpoint.objects.count(), WebhookDelivery.objects.count()) == (2, 2)


def test_a_selection_with_an_image_of_another_workspace_is_refused(own: Rows, theirs: Rows) -> None:
    client = signed_in(own.workspace.members.get())
    response = client.post(
        reverse("run", args=[own.workspace.slug]),
        {"prompt": "put image 2 onto image 1", "images": [own.image.id, theirs.image.id]},
    )
    assert response.status_code == 404


def test_a_mask_is_no_version(own: Rows) -> None:
    client = signed_in(own.workspace.members.get())
    slug = own.workspace.slug
    assert client.get(reverse("studio_version", args=[slug, own.mask.id])).status_code == 404
    assert client.get(reverse("rail", args=[slug]), {"at": str(own.mask.id)}).status_code == 404
    run = client.post(reverse("run", args=[slug]), {"prompt": "x", "images": own.mask.id}, headers=HTMX)
    assert run.status_code == 404


def test_a_member_of_two_workspaces_cannot_mix_them(own: Rows, theirs: Rows) -> None:
    both = own.workspace.members.get()
    theirs.workspace.memberships.create(user=both, role=Role.OWNER)
    url = reverse("studio_version", args=[own.workspace.slug, theirs.image.id])
    assert signed_in(both).get(url).status_code == 404


@pytest.mark.parametrize(
    ("name", "method"),
    [(name, route.method) for name, route in IN_A_WORKSPACE.items() if name not in TAKES_BOTH]
    + [("theme", "post"), ("health", "get"), ("ready", "get")],
)
def test_other_methods_are_refused(own: Rows, name: str, method: Method) -> None:
    client = signed_in(own.workspace.members.get())
    url = IN_A_WORKSPACE[name].url(name, own) if name in IN_A_WORKSPACE else reverse(name)
    wrong = client.get(url) if method == "post" else client.post(url)
    assert wrong.status_code == 405


@pytest.mark.parametrize("name", [name for name, route in IN_A_WORKSPACE.items() if route.method == "post"])
def test_a_post_needs_the_csrf_token(own: Rows, name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(own.workspace.members.get())
    url = IN_A_WORKSPACE[name].url(name, own)
    assert client.post(url, {"prompt": "make it warmer"}).status_code == 403
    client.get(reverse("studio", args=[own.workspace.slug]))
    token = client.cookies["csrftoken"].value
    assert client.post(url, {"prompt": "make it warmer"}, headers={"X-CSRFToken": token}).status_code != 403


@pytest.mark.parametrize("url", ["/welcome/", "/theme/", "/accounts/login/", "/accounts/logout/"])
def test_an_anonymous_post_needs_the_csrf_token_too(url: str) -> None:
    if url != "/welcome/":  # which exists only without accounts
        UserFactory.create()
    assert Client(enforce_csrf_checks=True).post(url).status_code == 403


def test_a_deactivated_user_has_no_access(own: Rows) -> None:
    owner = own.workspace.members.get()
    client = signed_in(owner)
    owner.is_active = False
    owner.save()
    assert client.get(reverse("studio", args=[own.workspace.slug])).status_code == 302
