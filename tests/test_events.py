"""Events are told whatever becomes of the event loop that their writer served."""

from __future__ import annotations

import asyncio
import logging

import pytest

from editor import events
from editor.concurrency import threads
from tests.factories import make_actor


@pytest.mark.usefixtures("committed")
def test_a_loop_that_is_closed_meanwhile_does_not_lose_an_event(caplog: pytest.LogCaptureFixture) -> None:
    actor = make_actor()
    sent: list[object] = []
    closed = asyncio.new_event_loop()
    closed.close()
    token = threads.waiting_loop.set(closed)
    try:
        with pytest.MonkeyPatch.context() as patch:

            async def note(group: object, message: object) -> None:
                sent.append(group)

            patch.setattr(events, "_send", note)
            events.publish(events.BalanceChanged(workspace_id=actor.workspace.id))
    finally:
        threads.waiting_loop.reset(token)
    assert sent == [events.group_name(actor.workspace.id)]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
