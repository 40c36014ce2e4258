"""The worker sends the mails that pages request."""

from __future__ import annotations

import asyncio

import pytest
from django.core import mail

from editor.concurrency.threads import in_thread
from editor.operations import mails
from tests.factories import UserFactory
from tests.worker.test_runner import working

pytestmark = pytest.mark.usefixtures("committed")


async def test_requested_mails_are_sent_to_addresses_with_and_without_an_account() -> None:
    await in_thread(UserFactory.create, email="amara@example.test")
    for email in ("Amara@example.test", "nobody@example.test"):
        await in_thread(mails.ask, kind=mails.Kind.RESET, email=email, origin="https://images.example.com")
    async with working(), asyncio.timeout(60):
        while len(mail.outbox) < 2:
            await asyncio.sleep(0.05)
    sent = {message.to[0]: message.body for message in mail.outbox}
    assert "https://images.example.com/accounts/password/reset/key/" in sent["amara@example.test"]
    assert "no account" in sent["nobody@example.test"]
