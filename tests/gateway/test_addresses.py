"""An account has one email address, and allauth's table of addresses cannot hold another."""

from __future__ import annotations

from importlib import import_module

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from editor.models import User
from tests.factories import PASSWORD, UserFactory
from tests.web.requests import signed_in

NAMES = ("attacker", "victim", "owner")


def address(user: User, email: str, **fields: bool) -> EmailAddress:
    row: EmailAddress = EmailAddress.objects.create(user=user, email=email, **fields)
    return row


@pytest.mark.django_db
@pytest.mark.parametrize("verified", [False, True])
def test_an_account_cannot_have_a_second_address(verified: bool) -> None:
    victim, attacker = UserFactory.create(email="victim@example.test"), UserFactory.create()
    address(attacker, attacker.email)
    for email in (victim.email, "free@example.test", attacker.email.upper()):
        with pytest.raises(IntegrityError), transaction.atomic():
            address(attacker, email, verified=verified)
        with pytest.raises(IntegrityError), transaction.atomic():
            EmailAddress.objects.filter(user=attacker).update(email=email)
    assert list(EmailAddress.objects.values_list("email", flat=True)) == [attacker.email]


@pytest.mark.django_db
def test_the_address_follows_the_accounts_email() -> None:
    user = UserFactory.create()
    address(user, user.email, primary=True)
    user.email = "Moved@example.test"
    user.save()
    assert EmailAddress.objects.get(user=user).email == "moved@example.test"


@pytest.mark.django_db
def test_the_admin_changes_both_and_hides_the_table_of_addresses() -> None:
    user = UserFactory.create()
    address(user, user.email)
    admin = signed_in(User.objects.create_superuser("operator@example.test", PASSWORD))
    fields = {"email": "moved@example.test", "name": "", "is_active": "on"}
    response = admin.post(f"/admin/editor/user/{user.pk}/change/", fields)
    assert response.status_code == 302, response.content.decode()
    assert EmailAddress.objects.get(user=user).email == "moved@example.test"
    assert admin.get("/admin/account/emailaddress/").status_code == 404
    client = Client()
    client.post(reverse("account_login"), {"login": "moved@example.test", "password": PASSWORD})
    assert "_auth_user_id" in client.session


@pytest.mark.django_db
def test_the_migration_cleans_up_rows_left_by_an_attack() -> None:
    """Runs the migration's statements on bare copies of the tables, so that the real ones stay unlocked."""
    migration = import_module("editor.migrations.0015_one_address_per_person")
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA attacked")
        cursor.execute("SET LOCAL search_path TO attacked, public")
        for table in ("editor_user", "account_emailaddress", "account_emailconfirmation"):
            like = f"LIKE public.{table} INCLUDING DEFAULTS INCLUDING IDENTITY"
            cursor.execute(f"CREATE TABLE attacked.{table} ({like})")
    attacker, victim, owner = [UserFactory.create(email=f"{name}@example.test") for name in NAMES]
    # Confirmed by the victim, then made primary, which failed halfway.
    address(attacker, attacker.email, verified=True)
    stolen = address(attacker, victim.email, verified=True, primary=True)
    EmailConfirmation.objects.create(email_address=stolen, key="k")
    # Not confirmed: it caused a second link in each reset mail of the owner.
    address(attacker, owner.email)
    address(owner, owner.email, verified=True, primary=True)
    with connection.cursor() as cursor:
        cursor.execute(migration.AGREE)
    rows = EmailAddress.objects.order_by("email").values_list("user_id", "email", "verified", "primary")
    assert list(rows) == [
        (attacker.pk, attacker.email, True, True),
        (owner.pk, owner.email, True, True),
    ]
    with pytest.raises(IntegrityError), transaction.atomic():
        address(attacker, victim.email)
