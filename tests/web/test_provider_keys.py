"""The Providers page: stored keys are never shown again."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.access import accounts
from editor.models import Plan, ProviderKey, Role, Workspace
from editor.providers import failures
from editor.providers.base import ErrorKind, ProviderError
from tests.factories import make_actor, make_member, make_workspace
from tests.fake_providers import KEY, SECRET, FakeProvider, install, save_key
from tests.web.requests import HTMX, body, signed_in

pytestmark = pytest.mark.django_db

REFUSED = ProviderError(ErrorKind.AUTH, "no")


@pytest.fixture(autouse=True)
def fake_providers(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeProvider]:
    return install(monkeypatch)


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def page_of(workspace: Workspace) -> str:
    return reverse("provider_keys", args=[workspace.slug])


def save(
    client: Client,
    workspace: Workspace,
    provider: str,
    data: dict[str, str],
    headers: dict[str, str] | None = None,
) -> Any:
    url = reverse("provider_key_save", args=[workspace.slug, provider])
    return client.post(url, data, headers=headers)


def act(
    client: Client,
    key: ProviderKey,
    name: str,
    data: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Any:
    assert key.workspace is not None
    url = reverse(f"provider_key_{name}", args=[key.workspace.slug, key.pk])
    return client.post(url, data, headers=headers)


def test_each_provider_that_takes_keys_has_a_card(client: Client, workspace: Workspace) -> None:
    page = body(client.get(page_of(workspace)))
    for label in ("Black Forest Labs", "Wiro", "fal"):
        assert f">{label}</h2>" in page
    assert "sandbox" not in page
    assert page.count("Not set up") == 3
    assert page.count('type="password"') == 4, "three keys and Wiro's secret"
    assert "cost no credits" in page
    assert "FLUX.2" in page, "what it serves"


def test_without_script_a_key_is_saved_and_the_page_shows_its_end(
    client: Client, workspace: Workspace
) -> None:
    response = save(client, workspace, "wiro", {"key": KEY, "secret": SECRET})
    assert (response.status_code, response["Location"]) == (302, page_of(workspace))
    page = body(client.get(page_of(workspace)))
    assert "Connected ··· 4f2a" in page
    assert "Credits left: 100" in page
    assert "saved. It works" in page
    assert accounts.account(workspace=workspace, provider="wiro").secret == SECRET  # type: ignore[union-attr]


def test_over_htmx_the_updated_card_and_a_message_are_returned(client: Client, workspace: Workspace) -> None:
    part = body(save(client, workspace, "bfl", {"key": KEY}, headers=HTMX))
    assert "<html" not in part
    assert part.count("<section") == 1
    assert "Connected ··· 4f2a" in part
    assert "Black Forest Labs: Key saved. It works." in part


def test_a_refused_key_is_explained_and_never_echoed(
    client: Client, workspace: Workspace, fake_providers: dict[str, FakeProvider]
) -> None:
    fake_providers["bfl"].answer = REFUSED
    for headers in ({}, HTMX):
        response = save(client, workspace, "bfl", {"key": KEY}, headers=headers)
        assert response.status_code == 400
        assert "does not accept this key" in body(response)
        assert KEY not in body(response)
    assert body(response).strip().startswith('<p class="problem"'), "which the script lets through"
    assert not ProviderKey.objects.exists()


def test_a_refused_key_marks_its_field_as_invalid_in_its_own_card(
    client: Client, workspace: Workspace, fake_providers: dict[str, FakeProvider]
) -> None:
    save_key(make_actor(workspace))
    fake_providers["bfl"].answer = REFUSED
    page = body(save(client, workspace, "bfl", {"key": "another-key-0000"}))
    assert page.count('aria-invalid="true"') == 1
    assert page.count('id="bfl-key"') == 1
    assert "Connected ··· 4f2a" in page


@pytest.mark.parametrize("data", [{}, {"key": ""}, {"key": "short"}, {"key": "nul\0nul\0nul"}], ids=str)
def test_an_invalid_key_is_reported_beside_the_field(
    client: Client, workspace: Workspace, data: dict[str, str]
) -> None:
    page = body(save(client, workspace, "bfl", data))
    assert page.count('aria-invalid="true"') == 1
    assert save(client, workspace, "bfl", data, headers=HTMX).status_code == 400
    assert not ProviderKey.objects.exists()


def test_a_key_that_could_not_be_tested_is_saved_and_the_card_shows_why(
    client: Client, workspace: Workspace, fake_providers: dict[str, FakeProvider]
) -> None:
    fake_providers["bfl"].answer = failures.failure(
        ErrorKind.UNAVAILABLE, provider_message="It is down for the night."
    )
    part = body(save(client, workspace, "bfl", {"key": KEY}, headers=HTMX))
    assert "Problem ··· 4f2a" in part
    assert "It is down for the night." in part
    assert "saved. It works" not in part


@pytest.mark.parametrize("was_accepted", [True, False])
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("Credits left: 7", "The key works."),
        (REFUSED, "The key has a problem."),
        (failures.temporary(), "The key could not be tested."),
    ],
    ids=["works", "refused", "away"],
)
def test_the_result_of_the_latest_test_is_reported(
    client: Client,
    workspace: Workspace,
    fake_providers: dict[str, FakeProvider],
    was_accepted: bool,
    answer: str | ProviderError,
    message: str,
) -> None:
    fake_providers["bfl"].answer = "" if was_accepted else failures.temporary()
    key = save_key(make_actor(workspace))
    fake_providers["bfl"].answer = answer
    part = body(act(client, key, "test", headers=HTMX))
    assert f"Black Forest Labs: {message}" in part
    assert "this edit" not in part
    assert "another model" not in part


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_key_is_tested_disabled_enabled_and_removed(
    client: Client, workspace: Workspace, fake_providers: dict[str, FakeProvider], headers: dict[str, str]
) -> None:
    key = save_key(make_actor(workspace))

    def shown(response: Any) -> str:
        assert response.status_code == (200 if headers else 302)
        return body(response if headers else client.get(page_of(workspace)))

    fake_providers["bfl"].answer = REFUSED
    assert "Problem ··· 4f2a" in shown(act(client, key, "test", headers=headers))
    fake_providers["bfl"].answer = ""
    assert "Connected ··· 4f2a" in shown(act(client, key, "test", headers=headers))
    assert "Disabled ··· 4f2a" in shown(act(client, key, "enable", {"enabled": "0"}, headers=headers))
    assert "Connected ··· 4f2a" in shown(act(client, key, "enable", {"enabled": "1"}, headers=headers))
    assert "4f2a" not in shown(act(client, key, "remove", headers=headers))
    assert not ProviderKey.objects.exists()


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_the_page_and_its_link_are_for_managers(client: Client, workspace: Workspace, role: Role) -> None:
    other = signed_in(make_member(workspace, role=role))
    response = other.get(page_of(workspace))
    assert response.status_code == 403
    assert "Only an owner or admin" in body(response)
    general = reverse("general", args=[workspace.slug])
    assert page_of(workspace) not in body(other.get(general))
    for manager in (client, signed_in(make_member(workspace, role=Role.ADMIN))):
        assert page_of(workspace) in body(manager.get(general))
        assert manager.get(page_of(workspace)).status_code == 200


def test_the_navigation_marks_the_current_page(client: Client, workspace: Workspace) -> None:
    page = body(client.get(page_of(workspace)))
    navigation = page[page.index('aria-label="Settings"') :]
    assert f'href="{page_of(workspace)}" aria-current="page"' in " ".join(navigation.split())
    assert reverse("credits", args=[workspace.slug]) in navigation


def test_without_own_keys_in_the_plan_the_page_explains_and_accepts_none(
    client: Client, workspace: Workspace
) -> None:
    key = save_key(make_actor(workspace))
    Plan.objects.update(own_keys=False)
    page = body(client.get(page_of(workspace)))
    assert "does not include its own provider keys" in page
    assert 'type="password"' not in page
    assert reverse("provider_key_remove", args=[workspace.slug, key.pk]) in page
    assert reverse("provider_key_test", args=[workspace.slug, key.pk]) not in page
    refused = save(client, workspace, "fal", {"key": KEY}, headers=HTMX)
    assert refused.status_code == 422
    assert body(refused).strip().startswith('<p class="problem"')


@pytest.mark.parametrize("provider", ["sandbox", "nobody"])
def test_a_provider_without_keys_is_not_found(client: Client, workspace: Workspace, provider: str) -> None:
    assert save(client, workspace, provider, {"key": KEY}).status_code == 404


def test_a_lost_encryption_key_breaks_no_page(
    client: Client, workspace: Workspace, settings: Settings
) -> None:
    key = save_key(make_actor(workspace))
    settings.ENCRYPTION_KEYS = ["x" * 32]
    assert "Connected ··· 4f2a" in body(client.get(page_of(workspace)))
    assert "An operator must restore" in body(act(client, key, "test", headers=HTMX))


def test_no_response_contains_a_key(client: Client, workspace: Workspace) -> None:
    answers = [save(client, workspace, "wiro", {"key": KEY, "secret": SECRET}, headers=HTMX)]
    key = ProviderKey.objects.get()
    answers += [
        client.get(page_of(workspace)),
        act(client, key, "test", headers=HTMX),
        act(client, key, "enable", {"enabled": "0"}, headers=HTMX),
        save(client, workspace, "wiro", {"key": KEY, "secret": "a b"}),
    ]
    assert [response.status_code for response in answers] == [200, 200, 200, 200, 400]
    for response in answers:
        reported = body(response) + repr(response.headers)
        assert KEY not in reported
        assert SECRET not in reported
