"""Open pages of a workspace that is deleted, or moves to another address."""

from __future__ import annotations

import pytest

from editor.concurrency.threads import in_thread
from editor.operations import addresses, credits, deletions
from tests.factories import make_actor, make_member
from tests.sockets.page import listen

pytestmark = pytest.mark.usefixtures("committed")

NOT_A_MEMBER = 4403


async def test_deleting_closes_every_members_page_with_the_reason() -> None:
    actor = await in_thread(make_actor, name="Acme")
    member = await in_thread(make_member, actor.workspace)
    async with listen(actor.user, "acme") as own, listen(member, "acme") as other:
        for page in (own, other):
            await page.next()
        await in_thread(deletions.delete, actor=actor, name="Acme")
        for page in (own, other):
            assert "“Acme” was deleted" in (await page.until("deleted"))[-1]
            assert (await page.answer())["code"] == NOT_A_MEMBER
    async with listen(member, "acme") as late:
        assert "“Acme” was deleted" in await late.next()
        assert (await late.answer())["code"] == NOT_A_MEMBER


async def test_a_page_at_the_former_address_still_receives_changes() -> None:
    actor = await in_thread(make_actor, name="Acme")
    async with listen(actor.user, "acme") as before:
        await before.next()
        await in_thread(addresses.change, actor=actor, address="acme-2")
        await in_thread(credits.grant, workspace=actor.workspace, amount=900, actor=None)
        assert "1,000" in (await before.until("#balance"))[-1]
    async with listen(actor.user, "acme") as later:
        assert "1,000" in await later.next()
