"""API keys in the operator's admin: shown without anything usable."""

from __future__ import annotations

import pytest
from django.test import Client

from editor.models import ApiKey, User
from editor.operations import api_keys
from tests.factories import make_actor
from tests.web.requests import body, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/editor/apikey/"


@pytest.fixture
def client() -> Client:
    return signed_in(User.objects.create_superuser("operator@example.test"))


@pytest.fixture
def key() -> ApiKey:
    return api_keys.create(actor=make_actor(), name="n8n")[0]


def test_keys_are_listed_and_found_by_their_public_part(client: Client, key: ApiKey) -> None:
    other, _ = api_keys.create(actor=make_actor(name="Rivals"), name="other")
    page = body(client.get(LIST, {"q": key.public_id}))
    assert key.workspace.name in page
    assert key.created_by.email in page
    assert other.public_id not in page


def test_no_page_shows_the_hash_of_the_secret(client: Client, key: ApiKey) -> None:
    pages = [client.get(LIST), client.get(f"{LIST}{key.pk}/change/"), client.get(f"{LIST}{key.pk}/history/")]
    assert {page.status_code for page in pages} == {200}
    reported = "".join(map(body, pages))
    assert key.public_id in reported
    assert key.secret_hash not in reported


def test_keys_are_read_only(client: Client, key: ApiKey) -> None:
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{key.pk}/change/", {"name": "mine"}).status_code == 403
    assert client.post(f"{LIST}{key.pk}/delete/", {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": str(key.pk), "post": "yes"}
    client.post(LIST, selected)
    assert ApiKey.objects.get().name == "n8n"
