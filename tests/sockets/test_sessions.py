"""The socket of a workspace closes immediately with the session that opened it, with its own code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from channels.layers import channel_layers
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.access import second_factor
from editor.concurrency.threads import in_thread
from editor.models import User
from editor.operations import credits, people
from tests.factories import PASSWORD, make_actor, make_member
from tests.sockets.page import listen
from tests.web.factors import code_now
from tests.web.requests import signed_in

pytestmark = pytest.mark.usefixtures("committed")

SESSION_ENDED = 4401
NEW_PASSWORD = "staple battery horse"


@pytest.fixture(autouse=True)
def fresh_layer() -> None:
    """The layer in memory belongs to one event loop, and each test has its own."""
    channel_layers.backends.clear()


def sign_out(client: Client, user: User) -> None:
    client.post(reverse("account_logout"))


def change_password(client: Client, user: User) -> None:
    fields = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post(reverse("account_change_password"), fields).status_code == 302


def change_password_elsewhere(client: Client, user: User) -> None:
    change_password(signed_in(user), user)


def add_factor_elsewhere(client: Client, user: User) -> None:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    key = client.session.session_key or ""
    UserSession.objects.create(user=user, session_key=key, ip="127.0.0.1", user_agent="")  # as a page does
    other = Client()
    other.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    other.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    other.get(reverse("mfa_activate_totp"))
    code = code_now(other.session["mfa.totp.secret"])
    other.post(reverse("mfa_activate_totp"), {"code": code})
    assert second_factor.exists(user)


def set_password(client: Client, user: User) -> None:
    user.set_password(NEW_PASSWORD)
    user.save(update_fields=["password"])


def deactivate(client: Client, user: User) -> None:
    user.is_active = False
    user.save()


def delete_session(client: Client, user: User) -> None:
    Session.objects.filter(session_key=client.cookies["sessionid"].value).delete()


def remove(client: Client, user: User) -> None:
    people.remove(user=user, actor=None)


@pytest.mark.parametrize(
    "end",
    [
        sign_out,
        change_password,
        change_password_elsewhere,
        add_factor_elsewhere,
        set_password,
        deactivate,
        delete_session,
        remove,
    ],
)
async def test_a_session_that_ends_closes_its_own_socket(
    end: Callable[[Client, User], None],
) -> None:
    actor = await in_thread(make_actor)
    member = await in_thread(make_member, actor.workspace)
    client = await in_thread(signed_in, member)
    slug = actor.workspace.slug
    async with listen(actor.user, slug) as staying, listen(client, slug) as leaving:
        await staying.next()
        await leaving.next()
        await in_thread(end, client, member)
        while "code" not in (answer := await leaving.answer()):
            pass  # the page of members, about a new factor
        assert answer["code"] == SESSION_ENDED
        await in_thread(credits.grant, workspace=actor.workspace, amount=1, actor=None)
        while "#balance" not in await staying.next():
            pass  # the page of members, about the person who was removed
        assert leaving.socket.output_queue.empty()


async def test_another_session_of_the_user_continues_after_a_sign_out() -> None:
    actor = await in_thread(make_actor)
    here, there = [await in_thread(signed_in, actor.user) for _ in range(2)]
    slug = actor.workspace.slug
    async with listen(here, slug) as leaving, listen(there, slug) as staying:
        await staying.next()
        await leaving.next()
        await in_thread(sign_out, here, actor.user)
        got = await leaving.answer()
        assert got.get("code") == SESSION_ENDED, got
        await in_thread(credits.grant, workspace=actor.workspace, amount=1, actor=None)
        assert "#balance" in await staying.next()


def expire(client: Client, user: User) -> None:
    Session.objects.update(expire_date=timezone.now())


def deactivate_without_event(client: Client, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.parametrize("end", [expire, deactivate_without_event])
async def test_a_session_that_ended_without_an_event_is_noticed_before_the_next_message(
    end: Callable[[Client, User], None],
) -> None:
    actor = await in_thread(make_actor)
    client = await in_thread(signed_in, actor.user)
    async with listen(client, actor.workspace.slug) as page:
        await page.next()
        await in_thread(end, client, actor.user)
        await in_thread(credits.grant, workspace=actor.workspace, amount=1, actor=None)
        assert (await page.answer())["code"] == SESSION_ENDED


async def test_reconnecting_after_it_reports_the_sign_out() -> None:
    actor = await in_thread(make_actor)
    client = await in_thread(signed_in, actor.user)
    key = client.cookies["sessionid"].value
    await in_thread(sign_out, client, actor.user)
    client.cookies["sessionid"] = key
    async with listen(client, actor.workspace.slug) as page:
        assert "You are signed out" in await page.next()


async def test_a_browser_that_changed_the_password_stays_signed_in() -> None:
    """The browser has a new session by then, and its other pages reconnect with it."""
    actor = await in_thread(make_actor)
    client = await in_thread(signed_in, actor.user)
    await in_thread(change_password, client, actor.user)
    async with listen(client, actor.workspace.slug) as page:
        assert "#balance" in await page.next()
