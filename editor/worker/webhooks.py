"""Sending what is to be told: see operations/deliveries.py for what is sent when, and tried how often."""

from __future__ import annotations

import asyncio
import logging
import time
from uuid import UUID
from weakref import WeakKeyDictionary

import httpx

from editor import outbound, pinned
from editor.contexts import webhook_messages
from editor.contexts.webhook_messages import Message
from editor.db import in_thread, tenant
from editor.errors import EditorError
from editor.models import WebhookDelivery
from editor.operations import deliveries
from editor.operations.deliveries import Attempt
from editor.operations.slots import Limit
from editor.shortage import is_shortage

log = logging.getLogger("editor.webhooks")

SECONDS = 15.0  # for all of one try
CONNECT_SECONDS = 5.0
DNS_SECONDS = 3.0
PLACES = 200  # messages that are sent at once, over all receivers, in turn between workspaces

_places: WeakKeyDictionary[asyncio.AbstractEventLoop, Limit] = WeakKeyDictionary()


async def deliver(delivery_id: UUID) -> None:
    """Send what is due at the receiver of this delivery, until nothing is or others are at it.

    Raises where the machine lacked what it takes. That is no try: the delivery is sent when its claim is old.
    """
    like = await in_thread(deliveries.find, delivery_id)
    if like is None:
        return
    tenant.set(str(like.workspace_id))
    places = _places.setdefault(asyncio.get_running_loop(), Limit(PLACES))
    while True:
        async with places.held(str(like.workspace_id), active=False):
            delivery = await in_thread(deliveries.take, like=like)
            if delivery is None:
                return
            try:
                attempt = await _try(delivery)
            except asyncio.CancelledError:
                await asyncio.shield(in_thread(deliveries.give_back, delivery=delivery))
                raise
            await in_thread(deliveries.note, delivery=delivery, attempt=attempt)


async def _try(delivery: WebhookDelivery) -> Attempt:
    began = time.monotonic()
    try:
        message = await in_thread(webhook_messages.build, delivery)
    except EditorError as error:
        return Attempt(status=None, milliseconds=0, words=error.message)
    except Exception:
        log.exception("delivery %s could not be rendered", delivery.pk)
        return Attempt(status=None, milliseconds=0, words="The portal failed to send it.")
    status, words, retry_after = await _post(delivery.url, message)
    return Attempt(
        status=status,
        milliseconds=round((time.monotonic() - began) * 1000),
        words=words,
        gone=status == httpx.codes.GONE,
        retry_after=retry_after,
    )


async def _post(url: str, message: Message) -> tuple[int | None, str, int]:
    """The receiver's status, what is wrong in words, and for how many seconds it wants to be left alone."""
    try:
        outbound.check_url(url)
    except outbound.Forbidden as error:
        return None, error.message, 0
    try:
        async with asyncio.timeout(SECONDS):
            return _judge(await _answer(httpx.URL(url), message))
    except pinned.NotReached as error:
        return None, "It has no valid certificate." if error.untrusted else "It could not be reached.", 0
    except (TimeoutError, httpx.TimeoutException):
        return None, f"It did not respond within {SECONDS:g} seconds.", 0
    except (OSError, UnicodeError, outbound.Forbidden) as error:
        if is_shortage(error):
            raise
        # The same words for all: which names there are in a private network is nobody's business.
        return None, "Its host does not exist or is not public.", 0
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if is_shortage(error):
            raise
        return None, "The connection was interrupted.", 0


async def _answer(target: httpx.URL, message: Message) -> httpx.Response:
    """Its status and headers; nobody reads the rest."""
    addresses = await pinned.addresses(target, resolve=pinned.resolve, seconds=DNS_SECONDS)
    async with pinned.Transport(pinned.usual_trust()) as transport:
        response = await pinned.ask(
            transport,
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
    wait = response.headers.get("retry-after", "")
    retry_after = int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 7 else 0
    return status, f"It responded with {status}.", retry_after
