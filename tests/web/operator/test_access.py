"""The operator's pages exist for operators only."""

from __future__ import annotations

import uuid

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from pytest_django import Settings

from editor.models import AuditEntry, Plan, Role, User
from editor.web.operator_urls import urlpatterns
from tests.factories import PASSWORD, UserFactory, make_member, make_provider_key, make_workspace
from tests.web.requests import HTMX, signed_in

pytestmark = pytest.mark.django_db

NAMES = [pattern.name for pattern in urlpatterns]
MODEL = "black-forest-labs/flux-kontext-pro"


def make_operator() -> User:
    return User.objects.create_superuser("operator@example.test", PASSWORD, name="Ada Operator")


def arguments(name: str) -> list[object]:
    """Of rows that exist, so that only the viewer decides."""
    pattern = next(one for one in urlpatterns if one.name == name)
    converters = pattern.pattern.converters
    workspace = make_workspace()
    values = {
        "workspace_id": workspace.pk,
        "user_id": workspace.members.get().pk,
        "plan_id": Plan.objects.get(is_default=True).pk,
        "provider": "bfl",
        "model_id": MODEL,
    }
    if "provider" in converters:
        make_provider_key(workspace=None, provider="bfl")
    return [values[one] for one in converters]


def people() -> dict[str, Client]:
    workspace = make_workspace(name="Acme")
    half = UserFactory.create(is_staff=True)
    superuser_only = UserFactory.create(is_superuser=True)
    return {
        "owner": signed_in(workspace.members.get()),
        "admin": signed_in(make_member(workspace, role=Role.ADMIN)),
        "viewer": signed_in(make_member(workspace, role=Role.VIEWER)),
        "in no workspace": signed_in(UserFactory.create()),
        "staff without rights": signed_in(half),
        "superuser without staff": signed_in(superuser_only),
        "not signed in": Client(),
    }


@pytest.mark.parametrize("name", NAMES)
def test_for_all_others_there_is_no_such_page(name: str) -> None:
    url = reverse(name, args=arguments(name))
    for who, client in people().items():
        for headers in ({}, HTMX):
            for method in ("get", "post", "head", "put"):
                response = getattr(client, method)(url, headers=headers)
                assert response.status_code == 404, f"{who} {method} {url}"
        nowhere = client.get("/operator/nowhere/")
        assert nowhere.status_code == 404


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_sees_it(name: str) -> None:
    client = signed_in(make_operator())
    url = reverse(name, args=arguments(name))
    expected = 405 if name == "operator_key_test" else 200
    assert client.get(url).status_code == expected
    assert client.get(url, headers=HTMX).status_code == expected


def test_every_route_under_operator_is_in_the_table() -> None:
    [resolver] = [one for one in get_resolver().url_patterns if str(one.pattern) == "operator/"]
    assert isinstance(resolver, URLResolver)
    assert [one.name for one in resolver.url_patterns] == NAMES  # type: ignore[union-attr]


def test_a_disabled_operator_is_none(settings: Settings) -> None:
    operator = make_operator()
    client = signed_in(operator)
    User.objects.filter(pk=operator.pk).update(is_active=False)
    assert client.get(reverse("operator")).status_code == 404


@pytest.mark.parametrize("name", NAMES)
def test_without_a_demanded_second_factor_an_operator_reaches_no_page(name: str, settings: Settings) -> None:
    """They are sent to where they can set one up."""
    settings.STAFF_SECOND_FACTOR = True
    client, url = signed_in(make_operator()), reverse(name, args=arguments(name))
    entries = AuditEntry.objects.count()
    for method in ("get", "post"):
        response = getattr(client, method)(url, {"reason": "x", "amount": 5, "key": "x", "name": "x"})
        assert (response.status_code, response["Location"], response.content) == (
            302,
            reverse("account"),
            b"",
        )
    assert AuditEntry.objects.count() == entries


def test_with_a_demanded_second_factor_an_operator_is_let_in(settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    operator = make_operator()
    client = signed_in(operator)
    Authenticator.objects.create(user=operator, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert client.get(reverse("operator")).status_code == 200


@pytest.mark.parametrize("name", ["operator_workspace", "operator_give", "operator_disable"])
def test_a_row_that_does_not_exist_is_not_found(name: str) -> None:
    client = signed_in(make_operator())
    assert client.get(reverse(name, args=[uuid.uuid4()])).status_code == 404


@pytest.mark.parametrize(
    "path", ["providers/nobody/key/", "models/no/model/", "plans/9999999/", "providers/bfl/on/no/model/"]
)
def test_a_name_that_does_not_exist_is_refused(path: str) -> None:
    client = signed_in(make_operator())
    assert client.get(f"/operator/{path}").status_code in (400, 404)
