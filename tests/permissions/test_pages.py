"""Every page for everybody: allowed or refused as the table of permissions says.

The routes and what they need come from the code, so a new route is tested as soon as it exists.
"""

from __future__ import annotations

from typing import Any, Literal

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from editor.access.permissions import Permission
from editor.management import entry_points
from editor.management.entry_points import EntryPoint
from tests.permissions.team import KEYS, RIGHTS, Team, holds, make_team
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db

PAGES = [one for one in entry_points.all_of_them() if one.kind == "page"]
Method = Literal["get", "post"]
METHODS: tuple[Method, Method] = ("get", "post")


@pytest.fixture
def team() -> Team:
    return make_team()


def browser(team: Team, name: str) -> Client:
    """A key is no session: pages do not look at it."""
    client = signed_in(team.users[name]) if name in team.users else Client()
    client.raise_request_exception = False
    if name in KEYS:
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {team.keys[name]}"
    return client


def needed(page: EntryPoint, method: Method) -> list[Permission]:
    needs = page.needs
    assert needs
    # The rows in the paths belong to the workspace, or to somebody else.
    return [getattr(needs, method), *([needs.of_others] if needs.of_others else [])]


def outcome(client: Client, method: Method, url: str) -> str:
    """“allowed” also for a form that is not complete: it was accepted from this person."""
    with transaction.atomic():
        response: Any = getattr(client, method)(url)
        transaction.set_rollback(True)
    if response.status_code == 405:
        return "no such method"
    if response.status_code >= 500:
        return f"failed with {response.status_code}"
    signs_in = response.get("Location", "").startswith(reverse("account_login"))
    unknown = response.status_code == 404 and b"This workspace does not exist" in response.content
    return "refused" if signs_in or unknown or response.status_code == 403 else "allowed"


@pytest.mark.parametrize("name", RIGHTS)
def test_everybody_gets_what_the_table_says(team: Team, name: str) -> None:
    client = browser(team, name)
    wrong, asked = [], 0
    for page in PAGES:
        for method in METHODS:
            found = outcome(client, method, team.url(page.name))
            if found == "no such method":
                continue
            may = name in team.users and all(holds(name, one) for one in needed(page, method))
            asked += 1
            if found != ("allowed" if may else "refused"):
                wrong.append((name, method, page.name, found))
    assert wrong == []
    assert asked >= len(PAGES)


def test_each_page_serves_a_method(team: Team) -> None:
    owner = browser(team, "owner")
    for page in PAGES:
        assert {outcome(owner, method, team.url(page.name)) for method in METHODS} & {"allowed"}, page.name
