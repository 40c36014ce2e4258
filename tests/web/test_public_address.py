"""With BASE_URL, what leaves the portal never has the Host that a proxy sends."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from editor.models import Role
from editor.operations import queue
from tests.factories import make_member
from tests.fake_providers import install
from tests.web.requests import HTMX, signed_in
from tests.web.routes import IN_A_WORKSPACE, Rows, make_rows

pytestmark = pytest.mark.django_db

INNER = "portal.internal:8017"
PUBLIC = "https://images.example.com:8443"


@pytest.fixture(autouse=True)
def behind_a_proxy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    settings.BASE_URL = PUBLIC
    settings.ALLOWED_HOSTS = ["images.example.com", "portal.internal"]
    settings.CSRF_TRUSTED_ORIGINS = [PUBLIC]


@pytest.fixture
def rows() -> Rows:
    return make_rows("Acme")


def through_the_proxy(client: Client, method: str, url: str, fields: Any = None, **headers: str) -> Any:
    return getattr(client, method)(url, fields or {}, headers={"host": INNER, **headers})


def assert_nothing_inner(response: Any) -> None:
    content = b"" if response.streaming else response.content
    head = " ".join(f"{name}: {value}" for name, value in response.headers.items())
    assert b"portal.internal" not in content
    assert "portal.internal" not in head


@pytest.mark.parametrize("name", IN_A_WORKSPACE)
def test_no_page_of_a_workspace_shows_the_host_of_the_proxy(rows: Rows, name: str) -> None:
    route = IN_A_WORKSPACE[name]
    person = signed_in(make_member(rows.workspace, role=Role.ADMIN))
    for client, more in ((Client(), {}), (person, {}), (person, HTMX)):
        response = through_the_proxy(client, route.method, route.url(name, rows), route.fields(rows), **more)
        assert_nothing_inner(response)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/welcome",
        "/accounts/login/",
        "/accounts/password/reset/",
        "/admin/",
        "/admin/login/",
        "/api/v1/image-editor/openapi.json",
        "/s/unknown/",
        "/no/such/page",
    ],
)
def test_no_public_page_does(rows: Rows, path: str) -> None:
    assert_nothing_inner(through_the_proxy(Client(), "get", path))


def test_links_in_mails_pages_and_documents_have_the_public_port(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested: list[str] = []
    monkeypatch.setattr(queue, "enqueue_mail", lambda **mail: requested.append(mail["origin"]))
    through_the_proxy(Client(), "post", "/accounts/password/reset/", {"email": "amara@example.test"})
    assert requested == [PUBLIC]
    person = signed_in(make_member(rows.workspace, role=Role.ADMIN))
    url = IN_A_WORKSPACE["shares"].url("shares", rows)
    assert f"{PUBLIC}/s/" in through_the_proxy(person, "post", url, {"days": "7"}).content.decode()
    document = through_the_proxy(Client(), "get", "/api/v1/image-editor/openapi.json").json()
    assert document["servers"][0]["url"] == f"{PUBLIC}/api/v1/image-editor"


def test_forms_are_accepted_from_the_public_address_and_lead_back_to_it(rows: Rows) -> None:
    person = Client(enforce_csrf_checks=True)
    page = f"{PUBLIC}/accounts/login/"
    through_the_proxy(person, "get", "/accounts/login/")
    token = {"x-csrftoken": person.cookies["csrftoken"].value, "origin": PUBLIC, "referer": page}
    response = through_the_proxy(person, "post", "/theme/", {"theme": "dark"}, **token)
    assert (response.status_code, response["Location"]) == (302, page)


def test_other_sites_are_still_no_place_to_lead_back_to() -> None:
    referer = {"referer": "https://images.example.com.evil.example/"}
    assert through_the_proxy(Client(), "post", "/theme/", {}, **referer)["Location"] == "/"


@pytest.mark.parametrize("host", ["10.1.2.3:8000", "evil.example", "a_b", "", "[::1"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_may_send_any_host(host: str, path: str) -> None:
    response = Client().get(path, headers={"host": host})
    assert (response.status_code, response["Cache-Control"]) == (200, "private, no-store")
    assert Client().get("/accounts/login/", headers={"host": host}).status_code == 400 or not host
