"""Requests that Django itself refuses get the portal's own words: a page, or a fragment for htmx."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from editor.models import Workspace
from tests.factories import make_workspace
from tests.web.requests import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    """Signed in, in a browser that checks tokens."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(workspace.members.get())
    return client


def run(client: Client, workspace: Workspace, **headers: Any) -> str:
    """The response to Run, with a stale token."""
    response = client.post(
        reverse("run", args=[workspace.slug]), {"csrfmiddlewaretoken": "x" * 64}, headers=headers
    )
    assert response.status_code == 403
    return response.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
class TestCsrf:
    def test_a_stale_token(self, client: Client, workspace: Workspace, headers: dict[str, str]) -> None:
        client.cookies["csrftoken"] = "y" * 32
        page = run(client, workspace, **headers)
        assert "This page is out of date" in page
        assert "Reload the page and try again" in page
        assert "Nothing was charged" in page

    def test_no_cookie(self, client: Client, workspace: Workspace, headers: dict[str, str]) -> None:
        assert "Allow cookies for this site" in run(client, workspace, **headers)

    def test_another_origin(self, client: Client, workspace: Workspace, headers: dict[str, str]) -> None:
        client.cookies["csrftoken"] = "y" * 32
        page = run(client, workspace, **headers, Origin="https://proxy.example")
        assert "An operator must set BASE_URL" in page

    def test_a_fragment_is_one_that_the_page_shows(
        self, client: Client, workspace: Workspace, headers: dict[str, str]
    ) -> None:
        page = run(client, workspace, **headers)
        assert page.lstrip().startswith('<p class="problem"') is bool(headers)


@pytest.mark.parametrize("path", ["/nothing/here/", "/w/nobody/gallery/"])
def test_what_does_not_exist_is_a_fragment_for_htmx(client: Client, path: str) -> None:
    response = client.get(path, headers=HTMX)
    assert response.status_code == 404
    assert response.content.decode().lstrip().startswith('<p class="problem"')
    assert "<h1>" in client.get(path).content.decode()


def test_too_many_fields_are_a_fragment_for_htmx(client: Client, workspace: Workspace, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
    client.handler.enforce_csrf_checks = False
    response = client.post(reverse("run", args=[workspace.slug]), {"a": "1", "b": "2"}, headers=HTMX)
    assert response.status_code == 400
    assert response.content.decode().lstrip().startswith('<p class="problem"')
