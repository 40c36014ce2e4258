"""Creating an API key: it is shown only in the response that creates it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from editor.access import signatures
from editor.access.actor import Actor
from editor.access.scopes import READ, SCOPES, WRITE
from editor.models import ApiKey, Workspace
from editor.operations import api_keys
from tests.factories import make_actor, make_workspace
from tests.web.keys import BARE, DAY, act, create, filled_in, page_of, row_of
from tests.web.requests import HTMX, body, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def owner(workspace: Workspace) -> Actor:
    return make_actor(workspace)


@pytest.fixture
def client(owner: Actor) -> Client:
    return signed_in(owner.user)


def test_without_keys_the_page_explains_what_a_key_is_for(client: Client, workspace: Workspace) -> None:
    page = body(client.get(page_of(workspace)))
    assert "No API keys yet" in page
    assert "n8n" in page
    assert '<table class="keys"' not in page
    for scope, message in SCOPES.items():
        assert scope in page
        assert message in page
    assert page.count("checked") >= 1


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_new_key_is_shown_once_and_not_cached(
    client: Client, workspace: Workspace, headers: dict[str, str]
) -> None:
    answer = create(client, workspace, headers=headers, name="CI pipeline", scopes=[READ, WRITE])
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
    (bare,) = set(BARE.findall(body(answer)))
    key = api_keys.find(bare)
    assert key is not None
    assert (key.name, key.scopes, key.workspace, key.expires_at) == (
        "CI pipeline",
        [READ, WRITE],
        workspace,
        None,
    )
    assert "Key “<bdi>CI pipeline</bdi>” created" in body(answer)
    assert "will not see it again" in body(answer)
    again = body(client.get(page_of(workspace)))
    assert not BARE.search(again)
    assert bare[12:] not in again
    assert f"flk_{key.public_id}<" in row_of(again, "CI pipeline")


def test_over_htmx_the_response_has_the_dialog_the_list_and_a_new_form(
    client: Client, workspace: Workspace
) -> None:
    sent = filled_in(name="<b>CI</b>")
    part = body(client.post(page_of(workspace), sent, headers=HTMX))
    assert "<html" not in part
    targets = re.findall(r'<hx-partial hx-target="([^"]+)"', part)
    assert targets == ["#api-keys", "#api-key-form"]
    assert 'commandfor="made-key"' in part
    assert "&lt;b&gt;CI&lt;/b&gt;" in part
    assert "<b>CI</b>" not in part
    (fresh,) = re.findall(r'name="key_id" value="([^"]+)"', part)
    assert fresh != sent["key_id"]


def test_without_script_the_key_has_its_own_page_with_a_link_back(
    client: Client, workspace: Workspace
) -> None:
    page = body(create(client, workspace))
    assert "<html" in page
    assert f'href="{page_of(workspace)}"' in page
    assert 'commandfor="made-key"' not in page
    assert 'class="keys"' not in page


@pytest.mark.parametrize(("seconds", "days"), [("2592000", 30), ("7776000", 90), ("31536000", 365)])
def test_a_key_expires_after_the_chosen_time(
    client: Client, workspace: Workspace, seconds: str, days: int
) -> None:
    began = timezone.now()
    create(client, workspace, expires_in=seconds)
    key = ApiKey.objects.get()
    assert key.expires_at is not None
    assert began <= key.expires_at - timedelta(days=days) <= timezone.now()
    offered = re.findall(r'<option value="(\d*)"', body(client.get(page_of(workspace))))
    assert {"", seconds} <= set(offered)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_form_sent_twice_creates_one_key_and_shows_it_only_once(
    client: Client, workspace: Workspace, headers: dict[str, str]
) -> None:
    sent = filled_in()
    client.post(page_of(workspace), sent, headers=headers)
    again = client.post(page_of(workspace), sent, headers=headers)
    assert again.status_code == 409
    assert not BARE.search(body(again))
    assert "has already been created" in body(again)
    assert ApiKey.objects.count() == 1
    if headers:
        assert body(again).strip().startswith('<p class="problem"'), "which the script lets through"
    else:
        assert sent["key_id"] not in re.findall(r'name="key_id" value="([^"]+)"', body(again))
        assert "n8n" in row_of(body(again), "n8n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Enter a name for the key."),
        ({"name": "x" * 81}, "1 to 80"),
        ({"name": "nul\0"}, "Null characters"),
        ({"scopes": []}, "Choose at least one scope."),
        ({"scopes": ["everything"]}, "not one of the available choices"),
        ({"expires_in": "1"}, "not one of the available choices"),
        ({"expires_in": "soon"}, "not one of the available choices"),
        ({"key_id": ""}, "reload it"),
        ({"key_id": "x"}, "reload it"),
    ],
    ids=str,
)
def test_invalid_input_is_reported_and_no_key_is_created(
    client: Client, workspace: Workspace, changes: dict[str, Any], message: str
) -> None:
    for headers in ({}, HTMX):
        answer = create(client, workspace, headers=headers, **changes)
        assert answer.status_code == 400
        assert message in body(answer)
    assert body(answer).strip().startswith('<p class="problem"')
    assert not ApiKey.objects.exists()


def test_a_refused_form_keeps_its_values(client: Client, workspace: Workspace) -> None:
    page = body(create(client, workspace, name="x" * 81, scopes=[WRITE], expires_in=str(90 * DAY)))
    form = " ".join(page[page.index('id="api-key-form"') : page.index('id="api-keys"')].split())
    assert f'value="{"x" * 81}"' in form
    assert re.findall(r'value="([^"]+)" autocomplete="off"[^>]* checked', form) == ["you", WRITE]
    assert f'<option value="{90 * DAY}" selected>' in form
    assert form.count('aria-invalid="true"') == 1


def test_a_workspace_with_too_many_keys_gets_an_explanation(
    client: Client, workspace: Workspace, owner: Actor
) -> None:
    for _ in range(api_keys.LIVE_KEYS):
        api_keys.create(actor=owner, name="n8n")
    answer = create(client, workspace)
    assert answer.status_code == 409
    assert "at most 50 active API keys" in body(answer)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_signing_key_is_shown_once_with_its_secret(
    client: Client, workspace: Workspace, headers: dict[str, str]
) -> None:
    answer = create(client, workspace, headers=headers, name="Wiro", signed="on")
    (bare,) = set(BARE.findall(body(answer)))
    key = api_keys.find(bare)
    assert key is not None
    secret = signatures.secret_of(key)
    assert f'id="made-secret-text">{secret}<' in body(answer)
    assert "Copy both now" in body(answer)
    again = body(client.get(page_of(workspace)))
    assert secret not in again
    assert "Signed requests" in row_of(again, "Wiro")
    rotated = body(act(client, key, "rotate", headers=headers, overlap="0"))
    (new_secret,) = re.findall(r'id="made-secret-text">(\w+)<', rotated)
    assert new_secret != secret


def test_an_ordinary_key_has_no_secret(client: Client, workspace: Workspace) -> None:
    assert "made-secret-text" not in body(create(client, workspace))
    assert "Signed requests" not in row_of(body(client.get(page_of(workspace))), "n8n")
