"""People are mailed once, a week before their API key ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.access.actor import Actor
from editor.contexts import mails
from editor.models import ApiKey, Role, User
from editor.operations import api_keys, key_expiry
from editor.operations.mails import Kind
from tests.factories import make_actor, make_member, make_workspace

pytestmark = pytest.mark.django_db

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    settings.SENDS_MAIL, settings.BASE_URL = True, "https://images.example.com"


@pytest.fixture
def maker() -> Actor:
    workspace = make_workspace()
    return make_actor(workspace, user=make_member(workspace))


def made(maker: Actor, *, ends_in: float, lived: float = 30) -> ApiKey:
    """A key that ends in so many days and was made so many days ago."""
    key, _ = api_keys.create(actor=maker, name="Website backend", expires_in=DAY)
    now = timezone.now()
    ApiKey.objects.filter(pk=key.pk).update(
        created_at=now - timedelta(days=lived), expires_at=now + timedelta(days=ends_in)
    )
    return key


def mailed() -> list[dict[str, Any]]:
    return list(ProcrastinateJob.objects.order_by("id").values_list("args", flat=True))


def test_its_creator_is_mailed_once(maker: Actor) -> None:
    key = made(maker, ends_in=6.9)
    made(maker, ends_in=7.1)
    assert [key_expiry.mail_expiring(), key_expiry.mail_expiring()] == [1, 0]
    (args,) = mailed()
    assert (args["kind"], args["email"], args["details"]["key"]) == (
        "key_expiring",
        maker.user.email,
        str(key.pk),
    )
    mail = mails.build(**{**args, "kind": Kind.KEY_EXPIRING})
    assert mail is not None
    assert mail.subject == "The API key “Website backend” ends soon"
    assert f"https://images.example.com/w/{maker.workspace.slug}/settings/api-keys/" in mail.body


def test_keys_that_need_no_mail_get_none(maker: Actor) -> None:
    made(maker, ends_in=2, lived=4)  # made for less than a week
    made(maker, ends_in=-1)
    api_keys.revoke(actor=maker, key=made(maker, ends_in=3))
    api_keys.rotate(actor=maker, key=made(maker, ends_in=3), overlap=DAY)
    api_keys.create(actor=maker, name="without end")
    assert key_expiry.mail_expiring() == 0


def test_a_key_whose_creator_left_is_nobodys(maker: Actor) -> None:
    made(maker, ends_in=3)
    maker.membership.delete()
    key_expiry.mail_expiring()
    assert mailed() == []


def test_the_owners_are_mailed_about_a_key_of_the_workspace(maker: Actor) -> None:
    made(maker, ends_in=3)
    User.objects.filter(pk=maker.user.pk).update(is_service_account=True)
    key_expiry.mail_expiring()
    owner = maker.workspace.memberships.get(role=Role.OWNER).user
    assert [args["email"] for args in mailed()] == [owner.email]


def test_a_key_that_ends_before_the_mail_is_sent_causes_none(maker: Actor) -> None:
    key = made(maker, ends_in=3)
    key_expiry.mail_expiring()
    api_keys.revoke(actor=maker, key=key)
    (args,) = mailed()
    assert mails.build(**{**args, "kind": Kind.KEY_EXPIRING}) is None


def test_without_a_mail_server_it_waits_for_one(maker: Actor, settings: Settings) -> None:
    made(maker, ends_in=3)
    settings.SENDS_MAIL = False
    assert key_expiry.mail_expiring() == 0
    settings.SENDS_MAIL = True
    assert key_expiry.mail_expiring() == 1
