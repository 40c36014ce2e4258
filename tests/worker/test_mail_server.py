"""The worker sends mails to a real server, in text and HTML, and tries again when it is refused for now."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage

import pytest
from pytest_django import Settings

from editor.concurrency.threads import in_thread
from editor.operations import mails
from editor.operations.mails import Kind
from editor.worker import tasks
from tests.factories import UserFactory
from tests.patience import PATIENCE
from tests.smtp_server import SmtpServer
from tests.worker.test_runner import working

pytestmark = pytest.mark.usefixtures("committed")

ORIGIN = "https://images.example.com"


@pytest.fixture
def server(settings: Settings) -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "Atelier <portal@images.example.com>"
        settings.SENDS_MAIL, settings.BASE_URL = True, ORIGIN
        yield server


async def sent(server: SmtpServer, *, until: Callable[[], bool]) -> None:
    async with working(), asyncio.timeout(PATIENCE):
        while not until():
            await asyncio.sleep(0.05)


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


async def test_a_mail_has_text_html_and_the_portals_headers(server: SmtpServer) -> None:
    user = await in_thread(UserFactory.create, email="mei@example.test")
    details = {"device": "Firefox on Linux <b>", "address": "203.0.113.9", "at": "2026-11-27T14:02:00+00:00"}
    await in_thread(mails.notify, kind=Kind.NEW_SIGN_IN, email=user.email, **details)
    await sent(server, until=lambda: bool(server.mails))
    (mail,) = server.mails
    assert (mail["From"], mail["To"]) == ("Atelier <portal@images.example.com>", "mei@example.test")
    assert mail["Subject"] == "New sign-in to your Atelier account"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@images.example.com>")
    assert mail["Reply-To"] is None
    text, html = parts(mail)
    assert "Firefox on Linux <b>" in text
    assert "Firefox on Linux &lt;b&gt;" in html
    assert "27 November 2026, 14:02 (UTC)" in text
    links = re.findall(r"https?://[^\s\"<]+", text + html)
    assert links
    assert all(link.startswith(ORIGIN) for link in links)
    assert not re.search(r"<(img|script|link|form)\b", html)


async def test_a_mail_that_is_refused_for_now_is_sent_later(
    server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.send_mail.retry_strategy, "exponential_wait", 0)
    server.refusing = 2
    user = await in_thread(UserFactory.create)
    await in_thread(mails.notify, kind=Kind.PASSWORD_CHANGED, email=user.email)
    await sent(server, until=lambda: bool(server.mails))
    assert (len(server.mails), server.refused) == (1, 2)


async def test_what_has_ended_in_the_meantime_is_not_mailed(server: SmtpServer) -> None:
    await in_thread(mails.notify, kind=Kind.REMOVED, email="gone@example.test", workspace="Acme")
    user = await in_thread(UserFactory.create)
    await in_thread(mails.notify, kind=Kind.REMOVED, email=user.email, workspace="Acme")
    await sent(server, until=lambda: bool(server.mails))
    assert [mail["To"] for mail in server.mails] == [user.email]
