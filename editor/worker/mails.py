"""Sends mails; operations/mails.py explains why the pages do not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from editor.concurrency.threads import in_thread
from editor.contexts import mails
from editor.operations.mails import Kind


async def send(*, kind: str, email: str, origin: str, details: Mapping[str, str]) -> None:
    """Send it unless what it is about has ended. Raises what the mail client raises; the queue retries."""
    message = await in_thread(mails.build, kind=Kind(kind), email=email, origin=origin, details=details)
    if message is None:
        return
    # Not in one of the few database threads: mail servers are slow.
    await asyncio.to_thread(message.send)
