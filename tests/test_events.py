"""Events are published whatever happens to the event loop of their writer."""

from __future__ import annotations

import asyncio
import logging

import pytest

from editor import events
from editor.concurrency import threads
from tests.factories import make_actor


@pytest.mark.usefixtures("committed")
def test_an_event_is_not_lost_if_the_loop_is_closed_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
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
