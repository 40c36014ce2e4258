"""Sends webhooks and callbacks; operations/webhooks/deliveries.py decides what is sent when and how often."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from uuid import UUID

import httpx

from editor import retry_after
from editor.concurrency.per_loop import PerLoop
from editor.concurrency.semaphore import FairSemaphore
from editor.concurrency.threads import in_thread, tenant
from editor.errors import EditorError
from editor.models import WebhookDelivery
from editor.net import policy, resolver, transport
from editor.operations.webhooks import deliveries
from editor.operations.webhooks.deliveries import Attempt
from editor.representations import webhooks
from editor.representations.webhooks import Message
from editor.shortage import is_shortage

log = logging.getLogger("editor.webhooks")

SECONDS = 15.0  # for one complete attempt
CONNECT_SECONDS = 5.0
DNS_SECONDS = 3.0
AT_ONCE = 200  # messages sent concurrently to all receivers; workspaces take turns

_slots = PerLoop(lambda: FairSemaphore(AT_ONCE))


async def deliver(delivery_id: UUID) -> None:
    """Send what is due at this delivery's receiver, until nothing is due or enough other tasks are sending.

    Raises if the machine ran short of resources. That is not an attempt: it is resent when its claim is old.
    """
    like = await in_thread(deliveries.find, delivery_id)
    if like is None:
        return
    tenant.set(str(like.workspace_id))
    while True:
        async with _slots.get().slot(str(like.workspace_id)):
            delivery = await in_thread(deliveries.claim, like=like)
            if delivery is None:
                return
            try:
                attempt = await _attempt(delivery)
            except asyncio.CancelledError:
                await asyncio.shield(in_thread(deliveries.release, delivery=delivery))
                raise
            await in_thread(deliveries.record_attempt, delivery=delivery, attempt=attempt)


async def _attempt(delivery: WebhookDelivery) -> Attempt:
    began = time.monotonic()
    try:
        message = await in_thread(webhooks.build, delivery)
    except EditorError as error:
        return Attempt(status=None, milliseconds=0, message=error.message)
    except Exception:
        log.exception("delivery %s could not be rendered", delivery.pk)
        return Attempt(status=None, milliseconds=0, message="The portal failed to send it.")
    status, text, wait = await _post(delivery.url, message)
    return Attempt(
        status=status,
        milliseconds=round((time.monotonic() - began) * 1000),
        message=text,
        gone=status == httpx.codes.GONE,
        retry_after=wait,
    )


async def _post(url: str, message: Message) -> tuple[int | None, str, int]:
    """The receiver's status, the error message or "", and the seconds to wait that it requested."""
    try:
        policy.check_url(url)
    except policy.Forbidden as error:
        return None, error.message, 0
    try:
        async with asyncio.timeout(SECONDS):
            return _judge(await _send(httpx.URL(url), message))
    except transport.NotReached as error:
        return None, "It has no valid certificate." if error.untrusted else "It could not be reached.", 0
    except (TimeoutError, httpx.TimeoutException):
        return None, f"It did not respond within {SECONDS:g} seconds.", 0
    except (OSError, policy.Forbidden) as error:
        if is_shortage(error):
            raise
        # The same message for all, so as not to reveal which names exist in a private network.
        return None, "Its host does not exist or is not public.", 0
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if is_shortage(error):
            raise
        return None, "The connection was interrupted.", 0


async def _send(target: httpx.URL, message: Message) -> httpx.Response:
    """Send the message. The response's body is not read."""
    addresses = await resolver.addresses(
        transport.host_of(target), look_up=resolver.for_people, seconds=DNS_SECONDS
    )
    async with transport.Transport(transport.usual_trust()) as client:
        response = await transport.ask(
            client,
            "POST",
            target,
            addresses,
            headers=message.headers,
            content=message.content,
            seconds=SECONDS,
            connect_seconds=CONNECT_SECONDS,
        )
        await response.aclose()
        return response


def _judge(response: httpx.Response) -> tuple[int, str, int]:
    status = response.status_code
    if response.is_success:
        return status, "", 0
    if response.has_redirect_location:
        return status, f"It responded with {status}, a redirect. Webhooks do not follow redirects.", 0
    wait = retry_after.parse(response.headers.get("retry-after", "")) or 0
    return status, f"It responded with {status}.", math.ceil(wait)
