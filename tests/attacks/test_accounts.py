"""Attacks on accounts: takeover, staying connected after sign-out, misleading mails, locking an owner out."""

from __future__ import annotations

import asyncio
import email
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email import policy
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.e2e.portal import PASSWORD, Portal

OWNER, MEMBER, ATTACKER = "owner@example.test", "member@example.test", "attacker@example.test"
PUBLIC = "http://images.example.com"  # not https: cookies must reach the portal without TLS
RESET = "/accounts/password/reset/"
NEW_PASSWORD = "staple battery horse"
Browsers = Callable[..., httpx.Client]
PATIENCE = 60  # seconds for the portal's background work


@pytest.fixture(scope="module")
def target(portals: Path) -> Iterator[Portal]:
    """One portal for these attacks; it writes its mails to files."""
    folder = portals / "attacked_accounts"
    folder.mkdir()
    portal = Portal(folder, EMAIL_URL=f"filemail:///{folder}/mails", BASE_URL=PUBLIC)
    portal.start()
    for address, name in ((OWNER, "Acme Studio"), (MEMBER, "Members"), (ATTACKER, "Rivals")):
        portal.bootstrap(email=address, workspace=name, credits=100)
    yield portal
    portal.remove()


@pytest.fixture
def browser(target: Portal) -> Iterator[Browsers]:
    """Makes signed-out browsers, each at an address of this machine."""
    with ExitStack() as stack:

        def make(address: str = "127.0.0.1") -> httpx.Client:
            transport = httpx.HTTPTransport(local_address=address)
            client = httpx.Client(base_url=target.url, timeout=PATIENCE, transport=transport)
            return stack.enter_context(client)

        yield make


def post(http: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Submit the form on the page at `path`."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(path).text)
    assert found
    return http.post(path, data={"csrfmiddlewaretoken": found[1], **fields})


def sign_in(http: httpx.Client, address: str, password: str = PASSWORD) -> str:
    answer = post(http, "/accounts/login/", login=address, password=password)
    if answer.status_code == 302:
        return "in"
    return "refused" if "Too many failed" in answer.text else "wrong"


def mails(portal: Portal, to: str) -> list[str]:
    """The texts of the mails to this address."""
    parts = [
        part for file in (portal.folder / "mails").glob("*") for part in file.read_text().split("-" * 79)
    ]
    read = [email.message_from_string(part.lstrip(), policy=policy.default) for part in parts]
    bodies = [mail.get_body(("plain",)) for mail in read if mail["To"] == to]
    return [str(body.get_content()) for body in bodies if body]


async def next_mail(portal: Portal, to: str, *, after: int) -> str:
    """The body of the next mail to this address after `after` others."""
    async with asyncio.timeout(PATIENCE):
        while len(mails(portal, to)) <= after:
            await asyncio.sleep(0.1)
    return mails(portal, to)[-1]


async def test_the_address_of_another_account_cannot_be_claimed(target: Portal, browser: Browsers) -> None:
    attacker = browser()
    assert sign_in(attacker, ATTACKER) == "in"
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', attacker.get("/w/rivals/").text)
    assert token
    for path in ("email/", "confirm-email/", "password/set/"):
        for action in ("action_add", "action_send", "action_primary"):
            data = {"csrfmiddlewaretoken": token[1], "email": OWNER, action: ""}
            assert attacker.post(f"/accounts/{path}", data=data).status_code == 404
    assert target.query("SELECT 1 FROM account_emailaddress WHERE email = %s", OWNER) == []
    assert sign_in(browser(), OWNER) == "in"


@pytest.mark.parametrize("host", ["localhost:4444", "localhost.", "127.0.0.1:4444"])
async def test_a_reset_mail_links_to_the_portal(target: Portal, browser: Browsers, host: str) -> None:
    http, headers, before = browser(), {"host": host}, len(mails(target, OWNER))
    page = http.get(RESET, headers=headers)
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token
    # An attacker's browser can send any cookie.
    headers |= {"cookie": f"csrftoken={page.cookies['csrftoken']}"}
    data = {"csrfmiddlewaretoken": token[1], "email": OWNER}
    assert http.post(RESET, data=data, headers=headers).status_code == 302
    text = await next_mail(target, OWNER, after=before)
    assert "/password/reset/key/" in text
    assert set(re.findall(r"https?://[^/\s]+?(?=[/\s.,]*(?:[/\s]|$))", text)) == {PUBLIC}


async def test_a_mail_to_an_unknown_address_offers_no_sign_up(target: Portal, browser: Browsers) -> None:
    answers = [post(browser(), RESET, email=who) for who in (MEMBER, "x@example.test")]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    text = await next_mail(target, "x@example.test", after=0)
    assert "by invitation" in text
    assert "signup" not in text


async def heard_until_closed(portal: Portal, http: httpx.Client, slug: str, ready: asyncio.Event) -> int:
    """Listen as a page does, and return the code with which the portal closed the socket."""
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in http.cookies.items()),
        "Origin": portal.url,
    }
    url = f"{portal.url.replace('http', 'ws')}/ws/w/{slug}/"
    async with asyncio.timeout(PATIENCE), connect(url, additional_headers=headers) as socket:
        assert "#balance" in str(await socket.recv())
        ready.set()
        try:
            while True:
                await socket.recv()
        except ConnectionClosed:
            return int(socket.close_code or 0)


async def listening(portal: Portal, http: httpx.Client, slug: str) -> asyncio.Task[int]:
    ready = asyncio.Event()
    task = asyncio.create_task(heard_until_closed(portal, http, slug, ready))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    assert not task.done(), task.exception()
    return task


async def test_sockets_are_closed_after_a_sign_out(target: Portal, browser: Browsers) -> None:
    stolen, own = browser(), browser()
    for http in (stolen, own):
        assert sign_in(http, MEMBER) == "in"
    thief = await listening(target, stolen, "members")
    fields = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    answer = await asyncio.to_thread(post, own, "/accounts/password/change/", **fields)
    assert answer.status_code == 302
    assert await thief == 4401
    page = await listening(target, own, "members")
    await asyncio.to_thread(post, own, "/accounts/logout/")
    assert await page == 4401


async def test_a_stranger_does_not_lock_an_owner_out(target: Portal, browser: Browsers) -> None:
    home = browser("127.0.0.21")
    assert sign_in(home, OWNER) == "in"
    post(home, "/accounts/logout/")
    stranger = browser("127.0.0.22")
    tries = [await asyncio.to_thread(sign_in, stranger, OWNER, f"guess {number}") for number in range(6)]
    assert tries == ["wrong"] * 5 + ["refused"]
    assert sign_in(browser("127.0.0.23"), OWNER) == "in"
    neighbour = browser("127.0.0.21")
    tries = [await asyncio.to_thread(sign_in, neighbour, OWNER, f"guess {number}") for number in range(6)]
    assert tries[-1] == "refused"
    assert sign_in(home, OWNER) == "in"
