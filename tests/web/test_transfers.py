"""The form that moves credits between an owner's workspaces."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from editor.models import CreditAccount, Role, Workspace
from tests.factories import make_member, make_workspace
from tests.web.requests import body, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> Workspace:
    return make_workspace(name="Acme Studio", balance=100)


@pytest.fixture
def there(here: Workspace) -> Workspace:
    return make_workspace(name="Acme Print", owner=here.members.get(), balance=0)


@pytest.fixture
def client(here: Workspace) -> Client:
    return signed_in(here.members.get())


def url(workspace: Workspace, name: str = "credits_transfer") -> str:
    return reverse(name, args=[workspace.slug])


def balance(workspace: Workspace) -> int:
    return CreditAccount.objects.get(workspace=workspace).balance


def test_it_is_on_the_credits_page_of_who_owns_another_workspace(here: Workspace, client: Client) -> None:
    assert "Transfer credits" not in body(client.get(url(here, "credits")))
    assert "You own no other workspace" in body(client.get(url(here)))
    make_workspace(name="Acme Print", owner=here.members.get())
    assert "100 credits can be moved" in body(client.get(url(here, "credits")))
    admin = signed_in(make_member(here, role=Role.ADMIN))
    assert "Transfer credits" not in body(admin.get(url(here, "credits")))
    assert admin.get(url(here)).status_code == 403


def test_credits_move_and_the_ledger_of_both_has_it(
    here: Workspace, there: Workspace, client: Client
) -> None:
    response = client.post(url(here), {"to": there.slug, "amount": "40", "note": "Catalogue"}, follow=True)
    assert response.redirect_chain == [(url(here, "credits"), 302)]
    assert "40 credits transferred to “Acme Print”." in body(response)
    assert (balance(here), balance(there)) == (60, 40)
    ledger = body(client.get(url(there, "credits")))
    assert "Transferred from Acme Studio: Catalogue" in ledger
    assert "Transferred to Acme Print: Catalogue" in body(client.get(url(here, "credits")))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"amount": "101"}, "from 1 to 100"),
        ({"amount": "1.5"}, "Enter a whole number."),
        ({"amount": ""}, "Enter a number of credits."),
        ({"amount": "9" * 30}, "from 1 to 100"),
        ({"to": ""}, "Choose a workspace."),
        ({"to": "rivals"}, "does not exist"),
        ({"note": "x" * 201}, "at most 200"),
        ({"note": "a\0b"}, "Null characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    here: Workspace, there: Workspace, client: Client, fields: dict[str, str], message: str
) -> None:
    make_workspace(name="Rivals")
    response = client.post(url(here), {"to": there.slug, "amount": "5", "note": "", **fields})
    assert response.status_code == 400
    page = body(response)
    [field] = fields
    assert message in page.split(f'id="transfer-{field}-notes"')[1].split("</div>")[0]
    assert (balance(here), balance(there)) == (100, 0)


def test_a_workspace_of_others_gets_nothing(here: Workspace, client: Client) -> None:
    rivals = make_workspace(name="Rivals", balance=7)
    make_workspace(name="Acme Print", owner=here.members.get())
    for _ in range(2):
        response = client.post(url(here), {"to": rivals.slug, "amount": "5"})
        assert response.status_code == 400
        assert balance(rivals) == 7
        # A member of it, but not an owner.
        rivals.memberships.get_or_create(user=here.members.get(), defaults={"role": Role.ADMIN})
