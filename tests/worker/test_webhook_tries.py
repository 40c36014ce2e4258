"""Webhooks over real HTTP: retries, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from editor.access.actor import Actor
from editor.models import AuditEntry, WebhookDelivery
from editor.net import policy
from editor.operations.webhooks import deliveries, endpoints
from editor.worker import webhooks as sending
from tests.emulators.receiver import Receiver
from tests.emulators.server import Server
from tests.worker.hooks import EVENTS, edit, listen, make_due, only, send

pytestmark = pytest.mark.usefixtures("committed", "loopback_is_allowed")


def deliver_to(answers: Callable[[Request], Awaitable[Response]], actor: Actor) -> None:
    """Make one delivery attempt of one edit to a receiver that responds like this."""
    server = Server(Starlette(routes=[Route("/", answers, methods=["POST"])]))
    server.start()
    try:
        listen(actor, f"http://127.0.0.1:{server.port}/")
        edit(actor)
        send(only())
    finally:
        server.stop()


def pause() -> float:
    """Seconds from the last attempt to the next, to a thousandth."""
    row = only()
    assert row.next_try_at is not None
    return (row.next_try_at - datetime.fromisoformat(row.attempts[-1]["at"])).total_seconds()


class TestTries:
    def test_a_failing_receiver_is_tried_eight_times_within_a_day(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        listen(actor, receiver.url)
        edit(actor)
        receiver.answers = [500] * 8
        pauses = []
        for number in range(1, 9):
            make_due()
            send(only())
            row = only()
            assert row.tries == number
            if row.next_try_at:
                pauses.append(round(pause()))
        assert row.state == "failed"
        assert pauses == [5, 300, 1800, 5400, 14400, 28800, 35695]
        assert sum(pauses) == 24 * 3600
        assert len(receiver.wait(8)) == 8
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
        assert row.attempts[-1]["message"] == "It responded with 500."

    def test_each_retry_is_scheduled_in_the_queue(self, actor: Actor, receiver: Receiver) -> None:
        listen(actor, receiver.url)
        edit(actor)
        receiver.answers = [503]
        send(only())
        planned = ProcrastinateJob.objects.filter(task_name="deliver_webhook").order_by("-id")[0]
        assert planned.scheduled_at == only().next_try_at

    def test_a_receiver_that_comes_back_receives_the_delivery(self, actor: Actor) -> None:
        gone = Receiver()
        with gone:
            url = gone.url
        listen(actor, url)
        edit(actor)
        send(only())
        assert only().attempts[0]["message"] == "It could not be reached."
        with gone:
            make_due()
            send(only())
            assert len(gone.wait(1)) == 1
        assert only().state == "delivered"

    def test_a_redirect_is_not_followed(self, actor: Actor, receiver: Receiver) -> None:
        async def redirect(request: Request) -> Response:
            return Response(status_code=307, headers={"location": receiver.url})

        deliver_to(redirect, actor)
        assert only().attempts[0]["message"].startswith("It responded with 307, a redirect.")
        assert receiver.got == []

    def test_a_receiver_that_never_responds_times_out(
        self, actor: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sending, "SECONDS", 0.3)

        async def never(request: Request) -> Response:
            await asyncio.Event().wait()
            return Response()

        deliver_to(never, actor)
        assert only().attempts[0]["message"] == "It did not respond within 0.3 seconds."
        assert only().state == "waiting"

    def test_status_410_disables_the_endpoint(self, actor: Actor, receiver: Receiver) -> None:
        endpoint, _ = listen(actor, receiver.url)
        edit(actor)
        receiver.answers = [410]
        send(only())
        endpoint.refresh_from_db()
        assert (only().state, endpoint.is_enabled) == ("failed", False)
        entry = AuditEntry.objects.get(action="webhook.disabled")
        assert (entry.workspace, entry.actor_kind) == (actor.workspace, "system")
        edit(actor)
        assert WebhookDelivery.objects.count() == 1

    @pytest.mark.parametrize("by_a_user", [True, False])
    def test_a_disabled_endpoint_is_not_sent_pending_deliveries(
        self, actor: Actor, receiver: Receiver, by_a_user: bool
    ) -> None:
        endpoint, _ = listen(actor, receiver.url)
        rows = [deliveries.test(actor=actor, endpoint=endpoint) for _ in range(2)]
        receiver.answers = [503, 503, 410]
        send(*rows)
        make_due()
        if by_a_user:
            endpoints.change(actor=actor, endpoint=endpoint, events=EVENTS, is_enabled=False)
        send(rows[0])
        assert len(receiver.got) == (2 if by_a_user else 3)
        assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"failed"}

    @pytest.mark.parametrize("end", ["it fails", "its worker stops", "its worker dies"])
    def test_an_endpoint_disabled_during_a_delivery_gets_no_retry(self, actor: Actor, end: str) -> None:
        endpoint, _ = listen(actor, "http://127.0.0.1:9/")
        edit(actor)
        delivery = deliveries.claim(like=only())
        assert delivery
        endpoints.change(actor=actor, endpoint=endpoint, events=EVENTS, is_enabled=False)
        if end == "it fails":
            attempt = deliveries.Attempt(status=500, milliseconds=1, message="It answered 500.")
            deliveries.record_attempt(delivery=delivery, attempt=attempt)
            assert only().attempts[0]["status"] == 500
        elif end == "its worker stops":
            deliveries.release(delivery=delivery)
        else:
            WebhookDelivery.objects.update(claimed_at=timezone.now() - timedelta(hours=1))
            deliveries.requeue_lost()
        assert (only().state, only().next_try_at) == ("failed", None)

    def test_tests_and_resends_to_a_disabled_endpoint_are_tried_once(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        endpoint, _ = listen(actor, receiver.url)
        endpoints.change(actor=actor, endpoint=endpoint, events=EVENTS, is_enabled=False)
        receiver.answers = [500, 200]
        send(deliveries.test(actor=actor, endpoint=endpoint))
        assert (only().state, only().tries) == ("failed", 1)
        deliveries.resend(actor=actor, delivery=only())
        send(only())
        assert only().state == "delivered"

    def test_a_temporarily_unreadable_secret_loses_no_delivery(
        self, actor: Actor, receiver: Receiver, settings: Settings
    ) -> None:
        listen(actor, receiver.url)
        edit(actor)
        right, settings.ENCRYPTION_KEYS = (
            settings.ENCRYPTION_KEYS,
            ["another key, by a mistake of the operator"],
        )
        send(only())
        assert "encryption keys" in only().attempts[0]["message"]
        settings.ENCRYPTION_KEYS = right
        make_due()
        send(only())
        assert only().state == "delivered"

    def test_a_url_that_is_no_longer_allowed_is_not_called(self, actor: Actor, receiver: Receiver) -> None:
        listen(actor, receiver.url)
        edit(actor)
        policy.allow([])
        send(only())
        assert receiver.got == []
        assert only().attempts[0]["message"] == "Only https URLs on port 443 are allowed."

    def test_private_host_names_cannot_be_distinguished_from_missing_ones(self, actor: Actor) -> None:
        policy.allow([])
        for url in ("https://localhost/", "https://there..is-none/"):
            endpoint, _ = listen(actor, url)
            send(deliveries.test(actor=actor, endpoint=endpoint))
        [private, missing] = WebhookDelivery.objects.all()
        assert private.attempts[0]["message"] == missing.attempts[0]["message"]

    def test_retry_after_in_seconds_is_honored(self, actor: Actor) -> None:
        async def busy(request: Request) -> Response:
            return Response(status_code=429, headers={"retry-after": "90"})

        deliver_to(busy, actor)
        assert round(pause()) == 90

    def test_retry_after_as_a_date_is_honored(self, actor: Actor) -> None:
        async def busy(request: Request) -> Response:
            date = format_datetime(timezone.now() + timedelta(hours=12), usegmt=True)
            return Response(status_code=429, headers={"retry-after": date})

        deliver_to(busy, actor)
        assert pause() > 11 * 3600
