"""Model aliases for API clients, set in the operator's admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from editor import catalog
from editor.models import ModelAlias, User
from tests.factories import make_actor
from tests.web.requests import body, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/editor/modelalias/"


@pytest.fixture
def client() -> Client:
    return signed_in(User.objects.create_superuser("operator@example.test"))


def test_the_default_aliases_exist_and_have_valid_targets() -> None:
    names = dict(ModelAlias.objects.values_list("name", "target"))
    assert {"gpt-image-2.6-sunburst", "gpt-image-2.6-flare", "gpt-image-1", "dall-e-3"} <= set(names)
    assert set(names.values()) <= {*catalog.catalog().models, *catalog.catalog().tiers}


@pytest.mark.parametrize("target", ["pro", "black-forest-labs/flux-2-pro"])
def test_a_new_alias_can_point_to_a_tier_or_a_model(client: Client, target: str) -> None:
    response = client.post(f"{LIST}add/", {"name": "our-own", "target": target})
    assert response.status_code == 302, body(response)
    assert ModelAlias.objects.get(name="our-own").target == target
    assert LogEntry.objects.get().object_repr == "our-own"


@pytest.mark.parametrize(
    ("name", "target", "message"),
    [
        ("our-own", "nothing", "Select a valid choice"),
        ("our-own", "", "This field is required"),
        ("gpt-image-1", "pro", "already exists"),
        ("standard", "pro", "already has this name"),
        ("two words", "pro", "Use only letters"),
        ("line\n", "standard\n", "Select a valid choice"),
    ],
)
def test_an_invalid_alias_is_refused(client: Client, name: str, target: str, message: str) -> None:
    count = ModelAlias.objects.count()
    response = client.post(f"{LIST}add/", {"name": name, "target": target})
    assert message in body(response)
    assert ModelAlias.objects.count() == count


def test_an_alias_can_be_changed_and_deleted(client: Client) -> None:
    alias = ModelAlias.objects.get(name="dall-e-3")
    assert client.post(f"{LIST}{alias.pk}/change/", {"name": "dall-e-3", "target": "pro"}).status_code == 302
    alias.refresh_from_db()
    assert alias.target == "pro"
    assert client.post(f"{LIST}{alias.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ModelAlias.objects.filter(name="dall-e-3").exists()


def test_the_list_takes_the_same_number_of_queries_for_any_length(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    ModelAlias.objects.bulk_create(ModelAlias(name=f"alias-{n}", target="pro") for n in range(50))
    with django_assert_max_num_queries(8):
        assert "alias-49" in body(client.get(LIST))


def test_an_owner_of_a_workspace_is_not_an_operator() -> None:
    assert signed_in(make_actor().user).get(LIST).status_code == 302
