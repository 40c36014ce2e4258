"""Each page has the strict content security policy, and complies with it."""

from __future__ import annotations

import gzip
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from editor.concurrency import threads
from editor.media import links
from editor.models import Role, User, Workspace
from tests import fake_providers
from tests.factories import UserFactory, make_actor, make_image, make_member, make_workspace
from tests.web.requests import HTMX, signed_in
from tests.web.routes import IN_A_WORKSPACE, make_rows
from tests.web.rows import fill

pytestmark = pytest.mark.django_db

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
}

GZIP = {"accept-encoding": "gzip"}
INLINE = re.compile(
    r"""<style|<script(?![^>]*\ssrc=)|<[^>]+\s(style|on\w+|hx-on\S*)\s*=|javascript:""", re.IGNORECASE
)


def assert_strict(response: Any) -> None:
    assert set(response["Content-Security-Policy"].split("; ")) == POLICY
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    found = INLINE.search(response.content.decode())
    assert found is None, found


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize(
    "name",
    [
        "studio",
        "studio_version",
        "inputs",
        "rail",
        "credits",
        "approvals",
        "api_keys",
        "api_reference",
        "provider_keys",
    ],
)
def test_pages_of_a_workspace(
    workspace: Workspace, client: Client, name: str, headers: dict[str, str]
) -> None:
    source = fill(workspace, rows=2)
    parts = [source.id] if name == "studio_version" else []
    response = client.get(reverse(name, args=[workspace.slug, *parts]), headers=headers)
    assert response.status_code == 200
    assert_strict(response)


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_reset_password"])
def test_pages_for_strangers(workspace: Workspace, name: str) -> None:
    response = Client().get(reverse(name))
    assert response.status_code == 200
    assert_strict(response)


@pytest.mark.parametrize("name", ["account_logout", "account_change_password"])
def test_pages_of_the_account(client: Client, name: str) -> None:
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert_strict(response)


def test_the_welcome_page() -> None:
    assert_strict(Client().get(reverse("welcome")))
    assert_strict(Client().post(reverse("welcome"), {}))


def test_the_page_of_one_without_a_workspace() -> None:
    assert_strict(signed_in(UserFactory.create()).get("/"))


def test_refusals_and_errors(workspace: Workspace, client: Client) -> None:
    viewer = signed_in(make_member(workspace, role=Role.VIEWER))
    run = reverse("run", args=[workspace.slug])
    guarded = Client(enforce_csrf_checks=True)
    answers = {
        400: client.post(run, {}),
        403: viewer.post(run, {"prompt": "x"}),
        404: client.get(reverse("studio_version", args=[workspace.slug, uuid.uuid4()])),
    }
    for status, response in answers.items():
        assert response.status_code == status
        assert_strict(response)
    for status, response in {404: client.get("/no/such/page"), 403: guarded.post("/theme/")}.items():
        assert response.status_code == status
        assert_strict(response)


def test_a_crash(workspace: Workspace, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the secret is 4711")

    monkeypatch.setattr("editor.web.views.credits.contexts.tiles", crash)
    client.raise_request_exception = False
    response = client.get(reverse("credits", args=[workspace.slug]))
    assert response.status_code == 500
    assert_strict(response)
    assert "4711" not in response.content.decode()


@pytest.mark.parametrize(
    "url",
    [
        "/admin/",
        "/admin/editor/user/",
        "/admin/editor/user/add/",
        "/admin/editor/ledgerentry/add/",
        "/admin/editor/providerkey/add/",
    ],
)
def test_the_admin(url: str) -> None:
    client = signed_in(User.objects.create_superuser("operator@example.test"))
    response = client.get(url)
    assert response.status_code == 200
    assert set(response["Content-Security-Policy"].split("; ")) == POLICY


def test_pages_are_compressed_and_images_are_not(client: Client) -> None:
    actor = make_actor()
    client.force_login(actor.user)
    page = client.get(reverse("studio", args=[actor.workspace.slug]), headers=GZIP)
    assert page["Content-Encoding"] == "gzip"
    assert gzip.decompress(page.content).lstrip().startswith(b"<!DOCTYPE html>")
    assert "Accept-Encoding" in page["Vary"]
    image = client.get(links.sign(make_image(actor).id, "full"), headers=GZIP)
    assert image.status_code == 200
    assert "Content-Encoding" not in image


PRIVATE = "private, no-store"


def assert_private(response: Any) -> None:
    assert response["Cache-Control"] in (PRIVATE, NEVER), response["Cache-Control"]
    page = {"HX-Request", "HX-Request-Type"} if response["Content-Type"].startswith("text/html") else set()
    assert {"Cookie", *page} <= set(response["Vary"].split(", "))


# Cache-Control of Django and allauth for pages that must not be stored.
NEVER = "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("name", IN_A_WORKSPACE)
def test_no_cache_stores_responses_of_a_workspace(
    name: str, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages, fragments, redirects and refusals."""
    fake_providers.install(monkeypatch)  # no network
    rows, route = make_rows("Acme"), IN_A_WORKSPACE[name]
    client = signed_in(rows.workspace.members.get())
    for one in (client, Client()):
        ask = one.get if route.method == "get" else one.post
        assert_private(ask(route.url(name, rows), route.fields(rows), headers=headers))


@pytest.mark.parametrize(
    "url",
    ["/", "/welcome/", "/nosuch/", "/accounts/login/", "/admin/", "/w/nosuch/", "/s/nosuch/", "/files/x"],
)
def test_no_cache_stores_pages_for_strangers(workspace: Workspace, url: str) -> None:
    assert_private(Client().get(url))


def test_the_database_connection_is_released_before_the_response_is_sent(
    client: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = []
    monkeypatch.setattr(threads, "release", lambda: released.append(True))
    client.get(reverse("studio", args=[workspace.slug]))
    assert released
