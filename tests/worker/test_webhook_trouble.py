"""Webhooks over real HTTP: slow receivers, workers that die, resending and purging."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from editor.access.actor import Actor
from editor.models import WebhookDelivery, WebhookEndpoint
from editor.operations import jobs, outcomes
from editor.operations.jobs import NewEdit
from editor.operations.webhooks import deliveries, endpoints
from editor.shortage import is_shortage
from editor.worker import webhooks as sending
from tests.emulators.receiver import Receiver
from tests.emulators.server import Server
from tests.patience import PATIENCE, somebody_waits_for_our_locks, until, wait_until
from tests.scarce import NoDescriptors
from tests.worker.hooks import edit, listen, only, send

pytestmark = pytest.mark.usefixtures("committed", "loopback_is_allowed")


class TestSlowReceivers:
    def test_concurrent_deliveries_to_an_endpoint_are_limited_and_all_arrive(self, actor: Actor) -> None:
        at_work, most, count = 0, 0, 0
        release = threading.Event()

        async def slow(request: Request) -> Response:
            nonlocal at_work, most, count
            at_work += 1
            most = max(most, at_work)
            while not release.is_set():
                await asyncio.sleep(0.01)
            at_work -= 1
            count += 1
            return Response()

        async def send_while_all_are_held(rows: list[WebhookDelivery]) -> None:
            tasks = [asyncio.create_task(sending.deliver(row.pk)) for row in rows]
            # The tasks that found too many others sending have ended.
            await until(lambda: at_work + sum(task.done() for task in tasks) == len(tasks))
            release.set()
            await asyncio.gather(*tasks)

        server = Server(Starlette(routes=[Route("/", slow, methods=["POST"])]))
        server.start()
        try:
            endpoint, _ = listen(actor, f"http://127.0.0.1:{server.port}/")
            rows = [deliveries.test(actor=actor, endpoint=endpoint) for _ in range(12)]
            asyncio.run(send_while_all_are_held(rows))
        finally:
            release.set()
            server.stop()
        assert (most, count) == (deliveries.AT_ONCE, 12)
        assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}

    def test_a_slow_receiver_does_not_delay_another(
        self, actor: Actor, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sending, "SECONDS", 2 * PATIENCE)
        release = threading.Event()

        async def stuck(request: Request) -> Response:
            await asyncio.to_thread(release.wait)
            return Response()

        server = Server(Starlette(routes=[Route("/", stuck, methods=["POST"])]))
        server.start()
        try:
            slow, _ = listen(actor, f"http://127.0.0.1:{server.port}/")
            quick, _ = listen(actor, receiver.url)
            rows = [deliveries.test(actor=actor, endpoint=slow) for _ in range(6)]
            rows.append(deliveries.test(actor=actor, endpoint=quick))
            thread = threading.Thread(target=send, args=rows)
            thread.start()
            wait_until(lambda: receiver.got, "a callback to the quick one")
            assert not WebhookDelivery.objects.filter(endpoint=slow, state="delivered").exists()
            release.set()
            thread.join()
        finally:
            release.set()
            server.stop()
        assert WebhookDelivery.objects.filter(state="delivered").count() == 7


class TestCrashes:
    def test_a_delivery_of_a_dead_worker_is_sent_by_another(self, actor: Actor, receiver: Receiver) -> None:
        listen(actor, receiver.url)
        edit(actor)
        assert deliveries.claim(like=only())  # by a worker that then died
        send(only())
        assert receiver.got == []
        assert deliveries.requeue_lost() == 0
        WebhookDelivery.objects.update(claimed_at=timezone.now() - timedelta(seconds=61))
        assert deliveries.requeue_lost() == 1
        send(only())
        assert len(receiver.wait(1)) == 1

    def test_a_worker_that_stops_releases_its_delivery(self, actor: Actor) -> None:
        arrived = threading.Event()

        async def stuck(request: Request) -> Response:
            arrived.set()
            await asyncio.Event().wait()
            return Response()

        server = Server(Starlette(routes=[Route("/", stuck, methods=["POST"])]))
        server.start()

        async def stopped() -> None:
            task = asyncio.create_task(sending.deliver(only_id))
            assert await asyncio.to_thread(arrived.wait, PATIENCE)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        try:
            listen(actor, f"http://127.0.0.1:{server.port}/")
            edit(actor)
            only_id = only().pk
            asyncio.run(stopped())
        finally:
            server.stop()
        row = only()
        assert (row.state, row.tries) == ("waiting", 0)
        assert row.next_try_at is not None
        assert row.next_try_at <= timezone.now()

    def test_an_attempt_of_a_late_worker_is_ignored_once_another_claimed_the_delivery(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        listen(actor, receiver.url)
        edit(actor)
        late = deliveries.claim(like=only())
        assert late
        WebhookDelivery.objects.update(claimed_at=timezone.now() + timedelta(seconds=1))
        deliveries.record_attempt(
            delivery=late, attempt=deliveries.Attempt(status=500, milliseconds=1, message="No.")
        )
        assert (only().state, only().attempts) == ("sending", [])


class TestAfterwards:
    def test_a_failed_delivery_can_be_resent_with_eight_tries(self, actor: Actor, receiver: Receiver) -> None:
        listen(actor, receiver.url)
        edit(actor)
        receiver.answers = [410]
        send(only())
        deliveries.resend(actor=actor, delivery=only())
        assert (only().state, only().tries) == ("waiting", 0)
        send(only())
        assert only().state == "delivered"
        assert [attempt["status"] for attempt in only().attempts] == [410, 200]

    def test_old_deliveries_are_purged_except_waiting_ones(self, actor: Actor, receiver: Receiver) -> None:
        endpoint, _ = listen(actor, receiver.url)
        for _ in range(2):
            deliveries.test(actor=actor, endpoint=endpoint)
        first = WebhookDelivery.objects.order_by("created_at")[0]
        WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=31))
        WebhookDelivery.objects.filter(pk=first.pk).update(state="delivered")
        assert deliveries.purge() == 1
        assert only().pk != first.pk


class TestRemovedMeanwhile:
    def test_removing_an_endpoint_while_a_job_ends_does_not_undo_its_end(self, actor: Actor) -> None:
        endpoint, _ = listen(actor, "http://127.0.0.1:9/")
        job = jobs.submit(actor=actor, request=NewEdit(prompt="a harbour"))
        remover = threading.Thread(target=_remove, args=(actor, endpoint))
        with transaction.atomic():
            outcomes.end_failed(job=job, code="x", message="x")
            remover.start()
            wait_until(lambda: not remover.is_alive() or somebody_waits_for_our_locks(), "the removal")
        remover.join()
        job.refresh_from_db()
        assert job.status == "failed"
        assert not WebhookEndpoint.objects.exists()
        assert not WebhookDelivery.objects.exists()


def _remove(actor: Actor, endpoint: WebhookEndpoint) -> None:
    try:
        endpoints.remove(actor=actor, endpoint=endpoint)
    finally:
        connection.close()


def test_a_shortage_of_descriptors_does_not_count_as_an_attempt(actor: Actor, receiver: Receiver) -> None:
    endpoint, _ = listen(actor, receiver.url)
    row = deliveries.test(actor=actor, endpoint=endpoint)

    async def go() -> None:
        scarcity = NoDescriptors()
        scarcity.begin()
        try:
            with pytest.raises(Exception) as lacking:
                await sending.deliver(row.pk)
        finally:
            scarcity.end()
        assert is_shortage(lacking.value)

    asyncio.run(go())
    assert (only().state, only().tries, only().attempts) == ("sending", 0, [])
    WebhookDelivery.objects.update(claimed_at=timezone.now() - timedelta(hours=1))
    assert deliveries.requeue_lost() == 1
    send(row)
    assert only().state == "delivered"
