"""The first steps in a new workspace: providers tested and saved, the team, the first edit."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from editor.models import Plan, ProviderKey, Workspace
from editor.providers.base import ErrorKind
from editor.providers.failures import failure
from tests.factories import make_member, make_workspace
from tests.fake_providers import KEY, FakeProvider, install
from tests.web.requests import HTMX, body, signed_in
from tests.web.rows import add_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeProvider]:
    return install(monkeypatch)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(name="Acme")


@pytest.fixture
def owner(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def test_url(workspace: Workspace, provider: str = "bfl") -> str:
    return reverse("setup_provider", args=[workspace.slug, provider])


test_url.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.usefixtures("providers")
def test_a_working_key_is_saved_at_once(workspace: Workspace, owner: Client) -> None:
    card = owner.post(test_url(workspace), {"key": KEY}, headers=HTMX)
    assert card.status_code == 200
    assert re.search(r"Works, answered in \d+\.\d s\. Credits left: 100", body(card))
    assert "Connected ··· 4f2a" in body(card)
    assert KEY not in body(card)
    assert ProviderKey.objects.get().workspace == workspace
    page = body(owner.get(reverse("setup", args=["acme"])))
    assert page.count('class="card setup-card"') == 3
    assert "Connected ··· 4f2a" in page


def test_a_refused_key_is_not_saved_and_says_so_in_its_card(
    workspace: Workspace, owner: Client, providers: dict[str, FakeProvider]
) -> None:
    providers["bfl"].answer = failure(ErrorKind.AUTH, message="no")
    for headers, status in ((HTMX, 200), ({}, 400)):
        card = owner.post(test_url(workspace), {"key": KEY}, headers=headers)
        assert card.status_code == status
        assert "does not accept this key" in body(card)
        assert 'aria-invalid="true"' in body(card)
        assert KEY not in body(card)
    assert not ProviderKey.objects.exists()


def test_a_provider_that_cannot_be_reached_leaves_it_open(
    workspace: Workspace, owner: Client, providers: dict[str, FakeProvider]
) -> None:
    providers["bfl"].answer = failure(ErrorKind.UNAVAILABLE, message="down")
    card = body(owner.post(test_url(workspace), {"key": KEY}, headers=HTMX))
    assert "could not be tested" in card
    assert 'data-state="unknown"' in card


@pytest.mark.usefixtures("providers")
def test_every_step_can_be_skipped(workspace: Workspace, owner: Client) -> None:
    page = body(owner.get(reverse("setup", args=["acme"])))
    assert "Skip: use the built-in sandbox" in page
    landed = owner.post(reverse("setup_finish", args=["acme"]))
    assert re.match(r"/w/acme/v/[0-9a-f-]{36}/\?prompt=", landed["Location"])
    add_job(workspace, price=0)
    assert owner.post(reverse("setup_finish", args=["acme"]))["Location"] == "/w/acme/"


@pytest.mark.usefixtures("providers")
def test_what_was_skipped_is_found_in_the_settings_until_it_is_done(
    workspace: Workspace, owner: Client
) -> None:
    general = reverse("general", args=["acme"])
    page = body(owner.get(general))
    assert "First steps" in page
    link = 'href="/w/acme/setup/"'
    assert link in page
    owner.post(test_url(workspace), {"key": KEY})
    assert link not in body(owner.get(general))
    add_job(workspace, price=0)
    assert "First steps" in body(owner.get(general))
    make_member(workspace)
    assert "First steps" not in body(owner.get(general))


@pytest.mark.usefixtures("providers")
def test_a_plan_without_own_keys_says_so(workspace: Workspace, owner: Client) -> None:
    Plan.objects.update(own_keys=False)
    page = body(owner.get(reverse("setup", args=["acme"])))
    assert "does not include its own provider keys" in page
    assert "setup-card" not in page
    assert owner.post(test_url(workspace), {"key": KEY}).status_code == 422
    assert not ProviderKey.objects.exists()


@pytest.mark.usefixtures("providers")
def test_an_unknown_provider_is_not_found(workspace: Workspace, owner: Client) -> None:
    assert owner.post(test_url(workspace, "nonsense"), {"key": KEY}).status_code == 404
