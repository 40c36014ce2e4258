"""Webhooks over real HTTP: what is told to whom, signed how, tried how often, and never before its commit."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from editor import outbound
from editor.access.actor import Actor
from editor.models import CreditAccount, Job, WebhookDelivery, WebhookEndpoint
from editor.operations import deliveries, execution, jobs, webhooks
from editor.operations.callbacks import Callback
from editor.operations.jobs import NewEdit
from editor.worker import webhooks as sending
from tests.emulators.receiver import Receiver
from tests.emulators.server import Server
from tests.factories import make_actor

pytestmark = pytest.mark.usefixtures("committed")

ORIGIN = "https://portal.example"
SECRET = "whsec_" + base64.b64encode(b"s" * 24).decode()
EVENTS = ["job.completed", "job.failed", "job.canceled", "credits.low"]


@pytest.fixture(autouse=True)
def _loopback_is_allowed() -> Iterator[None]:
    outbound.allow(["127.0.0.0/8"])
    yield
    outbound.allow([])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def actor() -> Actor:
    return make_actor(balance=100)


def listen(actor: Actor, url: str, events: list[str] = EVENTS) -> tuple[WebhookEndpoint, str]:
    return webhooks.create(actor=actor, url=url, events=events, origin=ORIGIN)


def edit(actor: Actor, prompt: str = "a quiet harbour", **fields: Any) -> Job:
    """An edit that has run to its end."""
    job = jobs.submit(actor=actor, request=NewEdit(prompt=prompt, **fields))
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    return job


def send(*rows: WebhookDelivery) -> None:
    """What the queue does with its tasks, all at the same time."""

    async def all_of_them() -> None:
        await asyncio.gather(*(sending.deliver(row.pk) for row in rows))

    asyncio.run(all_of_them())


def only() -> WebhookDelivery:
    return WebhookDelivery.objects.get()


def make_due() -> None:
    WebhookDelivery.objects.filter(state="waiting").update(next_try_at=timezone.now())


class TestWhatIsTold:
    def test_a_completed_edit_is_told_to_an_endpoint_and_the_library_verifies_it(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        _, secret = listen(actor, receiver.url)
        job = edit(actor)
        send(only())
        [(headers, body)] = receiver.wait(1)
        told = Webhook(secret).verify(body, headers)
        assert told["type"] == "job.completed"
        assert told["data"]["job_id"] == str(job.id)
        assert told["data"]["result_url"].startswith(f"{ORIGIN}/i/")
        assert told["data"]["credits_consumed"] == job.charged > 0
        assert headers["webhook-id"] == f"msg_{only().id.hex}"
        assert headers["content-type"] == "application/json"
        delivery = only()
        assert (delivery.state, delivery.tries, delivery.attempts[0]["status"]) == ("delivered", 1, 200)

    @pytest.mark.parametrize(
        ("prompt", "event"), [("[fail] a harbour", "job.failed"), ("[moderate] a harbour", "job.failed")]
    )
    def test_a_failed_edit_is_told_with_its_reason(
        self, actor: Actor, receiver: Receiver, prompt: str, event: str
    ) -> None:
        _, secret = listen(actor, receiver.url)
        job = edit(actor, prompt)
        assert job.status == "failed"
        send(only())
        told = Webhook(secret).verify(receiver.wait(1)[0][1], receiver.got[0][0])
        assert (told["type"], told["data"]["error"]) == (event, job.error)

    def test_a_canceled_edit_is_told(self, actor: Actor, receiver: Receiver) -> None:
        listen(actor, receiver.url)
        job = jobs.submit(actor=actor, request=NewEdit(prompt="a harbour"))
        jobs.cancel(actor=actor, job=job)
        send(only())
        assert json.loads(receiver.wait(1)[0][1])["type"] == "job.canceled"

    def test_credits_that_run_low_are_told_once_until_there_are_more(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        _, secret = listen(actor, receiver.url, ["credits.low"])
        CreditAccount.objects.update(low_mark=97)
        edit(actor)  # 4 credits: from 100 to 96
        edit(actor)
        send(only())
        told = Webhook(secret).verify(receiver.wait(1)[0][1], receiver.got[0][0])
        assert (told["type"], told["data"]) == ("credits.low", {"balance": 96, "low_mark": 97})

    def test_an_endpoint_hears_only_what_it_asked_for_and_only_of_its_workspace(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        listen(actor, receiver.url, ["job.failed"])
        listen(make_actor(), receiver.url + "?other")
        edit(actor)
        assert not WebhookDelivery.objects.exists()

    def test_a_caller_is_told_of_their_own_job_signed_with_their_secret(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        edit(actor, callback=Callback(url=receiver.url, secret=SECRET, origin=ORIGIN))
        edit(actor)
        send(only())
        [(headers, body)] = receiver.wait(1)
        assert Webhook(SECRET).verify(body, headers)["type"] == "job.completed"

    def test_a_caller_without_a_secret_gets_no_signature(self, actor: Actor, receiver: Receiver) -> None:
        edit(actor, callback=Callback(url=receiver.url, secret="", origin=ORIGIN))
        send(only())
        assert "webhook-signature" not in receiver.wait(1)[0][0]

    def test_nothing_is_there_before_the_commit_and_nothing_after_a_rollback(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        listen(actor, receiver.url)
        job = jobs.submit(actor=actor, request=NewEdit(prompt="a harbour"))
        tasks = ProcrastinateJob.objects.filter(task_name="deliver_webhook")
        seen: list[int] = []
        with pytest.raises(RuntimeError), transaction.atomic():
            jobs.end_failed(job=job, code="x", message="x")
            look = threading.Thread(target=lambda: seen.append(_count_elsewhere()))
            look.start()
            look.join()
            raise RuntimeError
        assert seen == [0]
        assert (tasks.count(), WebhookDelivery.objects.count()) == (0, 0)
        jobs.end_failed(job=job, code="x", message="x")
        assert (tasks.count(), WebhookDelivery.objects.count()) == (1, 1)


def _count_elsewhere() -> int:
    """What another connection sees."""
    try:
        return WebhookDelivery.objects.count()
    finally:
        connection.close()


class TestOtherServicesWords:
    """Callers of the compatible doors are told what those services would tell."""

    def test_bfls_callers_get_its_result_and_its_signature(self, actor: Actor, receiver: Receiver) -> None:
        there = replace(actor, door="bfl")
        job = edit(there, callback=Callback(url=receiver.url, secret="s3cret", origin=ORIGIN))
        send(only())
        [(headers, body)] = receiver.wait(1)
        told = json.loads(body)
        assert (told["id"], told["task_id"], told["status"]) == (str(job.id), str(job.id), "Ready")
        assert told["result"]["sample"].startswith(f"{ORIGIN}/results/")
        signature = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        assert headers["x-bfl-signature"] == f"sha256={signature}"

    def test_wiros_callers_get_the_task(self, actor: Actor, receiver: Receiver) -> None:
        there = replace(actor, door="wiro")
        job = edit(there, "[fail] a harbour", callback=Callback(url=receiver.url, secret="", origin=ORIGIN))
        send(only())
        told = json.loads(receiver.wait(1)[0][1])
        assert (told["taskid"], told["status"], told["result"]) == (
            str(job.number),
            "task_postprocess_end",
            True,
        )
        [task] = told["tasklist"]
        assert (task["pexit"], task["debugerror"], task["outputs"]) == ("1", job.error, [])


class TestTries:
    def test_a_receiver_that_fails_is_tried_eight_times_within_a_day(
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
                pauses.append(round((row.next_try_at - timezone.now()).total_seconds()))
        assert row.state == "failed"
        assert pauses == [5, 300, 1800, 5400, 14400, 28800, 35695]
        assert sum(pauses) == 24 * 3600
        assert len(receiver.wait(8)) == 8
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
        assert row.attempts[-1]["words"] == "It answered 500."

    def test_each_next_try_is_in_the_queue_for_its_time(self, actor: Actor, receiver: Receiver) -> None:
        listen(actor, receiver.url)
        edit(actor)
        receiver.answers = [503]
        send(only())
        planned = ProcrastinateJob.objects.filter(task_name="deliver_webhook").order_by("-id")[0]
        assert planned.scheduled_at == only().next_try_at

    def test_a_receiver_that_is_not_there_and_then_is_gets_it(self, actor: Actor) -> None:
        gone = Receiver()
        with gone:
            url = gone.url
        listen(actor, url)
        edit(actor)
        send(only())
        assert only().attempts[0]["words"] == "It could not be reached."
        with gone:
            make_due()
            send(only())
            assert len(gone.wait(1)) == 1
        assert only().state == "delivered"

    def test_a_redirect_is_not_followed(self, actor: Actor, receiver: Receiver) -> None:
        async def redirect(request: Request) -> Response:
            return Response(status_code=307, headers={"location": receiver.url})

        server = Server(Starlette(routes=[Route("/", redirect, methods=["POST"])]))
        server.start()
        try:
            listen(actor, f"http://127.0.0.1:{server.port}/")
            edit(actor)
            send(only())
        finally:
            server.stop()
        assert only().attempts[0]["words"].startswith("It answered 307, a redirect.")
        assert receiver.got == []

    def test_a_receiver_that_never_answers_is_given_up_after_its_time(
        self, actor: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sending, "SECONDS", 0.3)

        async def never(request: Request) -> Response:
            await asyncio.sleep(30)
            return Response()

        server = Server(Starlette(routes=[Route("/", never, methods=["POST"])]))
        server.start()
        try:
            listen(actor, f"http://127.0.0.1:{server.port}/")
            edit(actor)
            send(only())
        finally:
            server.stop()
        assert only().attempts[0]["words"] == "It did not answer within 0.3 seconds."
        assert only().state == "waiting"

    def test_gone_for_good_switches_the_endpoint_off(self, actor: Actor, receiver: Receiver) -> None:
        endpoint, _ = listen(actor, receiver.url)
        edit(actor)
        receiver.answers = [410]
        send(only())
        endpoint.refresh_from_db()
        assert (only().state, endpoint.is_enabled) == ("failed", False)
        edit(actor)
        assert WebhookDelivery.objects.count() == 1

    @pytest.mark.parametrize("by_a_person", [True, False])
    def test_an_endpoint_that_is_switched_off_is_not_sent_what_waits(
        self, actor: Actor, receiver: Receiver, by_a_person: bool
    ) -> None:
        endpoint, _ = listen(actor, receiver.url)
        rows = [deliveries.test(actor=actor, endpoint=endpoint) for _ in range(2)]
        receiver.answers = [503, 503, 410]
        send(*rows)
        make_due()
        if by_a_person:
            webhooks.change(actor=actor, endpoint=endpoint, events=EVENTS, is_enabled=False)
        send(rows[0])
        assert len(receiver.got) == (2 if by_a_person else 3)
        assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"failed"}

    def test_a_secret_that_cannot_be_read_for_a_while_loses_nothing(
        self, actor: Actor, receiver: Receiver, settings: Settings
    ) -> None:
        listen(actor, receiver.url)
        edit(actor)
        right, settings.ENCRYPTION_KEYS = (
            settings.ENCRYPTION_KEYS,
            ["another key, by a mistake of the operator"],
        )
        send(only())
        assert "encryption keys" in only().attempts[0]["words"]
        settings.ENCRYPTION_KEYS = right
        make_due()
        send(only())
        assert only().state == "delivered"

    def test_an_address_that_became_private_is_not_asked(self, actor: Actor, receiver: Receiver) -> None:
        listen(actor, receiver.url)
        edit(actor)
        outbound.allow([])
        send(only())
        assert receiver.got == []
        assert only().attempts[0]["words"] == "The portal opens only https addresses on the usual port."

    def test_names_of_private_networks_cannot_be_told_from_those_that_do_not_exist(
        self, actor: Actor
    ) -> None:
        outbound.allow([])
        for url in ("https://localhost/", "https://there..is-none/"):
            endpoint, _ = listen(actor, url)
            send(deliveries.test(actor=actor, endpoint=endpoint))
        [private, missing] = WebhookDelivery.objects.all()
        assert private.attempts[0]["words"] == missing.attempts[0]["words"]

    def test_a_receiver_that_asks_to_be_left_alone_longer_is(self, actor: Actor) -> None:
        async def busy(request: Request) -> Response:
            return Response(status_code=429, headers={"retry-after": "90"})

        server = Server(Starlette(routes=[Route("/", busy, methods=["POST"])]))
        server.start()
        try:
            listen(actor, f"http://127.0.0.1:{server.port}/")
            edit(actor)
            send(only())
        finally:
            server.stop()
        waits = only().next_try_at - timezone.now()  # type: ignore[operator]
        assert timedelta(seconds=80) < waits <= timedelta(seconds=90)


class TestSlowReceivers:
    def test_few_are_sent_at_once_to_each_and_all_arrive(self, actor: Actor) -> None:
        at_work, most, count = 0, 0, 0

        async def slow(request: Request) -> Response:
            nonlocal at_work, most, count
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0.05)
            at_work -= 1
            count += 1
            return Response()

        server = Server(Starlette(routes=[Route("/", slow, methods=["POST"])]))
        server.start()
        try:
            endpoint, _ = listen(actor, f"http://127.0.0.1:{server.port}/")
            rows = [deliveries.test(actor=actor, endpoint=endpoint) for _ in range(12)]
            send(*rows)
        finally:
            server.stop()
        assert (most, count) == (deliveries.AT_ONCE, 12)
        assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}

    def test_a_slow_one_keeps_no_other_waiting(self, actor: Actor, receiver: Receiver) -> None:
        release = threading.Event()

        async def stuck(request: Request) -> Response:
            await asyncio.to_thread(release.wait, 20)
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
            began = time.monotonic()
            receiver.wait(1)
            assert time.monotonic() - began < 5
            assert not WebhookDelivery.objects.filter(endpoint=slow, state="delivered").exists()
            release.set()
            thread.join()
        finally:
            release.set()
            server.stop()
        assert WebhookDelivery.objects.filter(state="delivered").count() == 7


class TestCrashes:
    def test_what_a_dead_worker_was_sending_is_sent_by_another(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        listen(actor, receiver.url)
        edit(actor)
        assert deliveries.take(like=only())  # and then the worker died
        send(only())
        assert receiver.got == []
        assert deliveries.requeue_lost() == 0
        WebhookDelivery.objects.update(claimed_at=timezone.now() - timedelta(seconds=61))
        assert deliveries.requeue_lost() == 1
        send(only())
        assert len(receiver.wait(1)) == 1

    def test_a_worker_that_must_end_gives_back_what_it_was_sending(self, actor: Actor) -> None:
        arrived = threading.Event()

        async def stuck(request: Request) -> Response:
            arrived.set()
            await asyncio.sleep(20)
            return Response()

        server = Server(Starlette(routes=[Route("/", stuck, methods=["POST"])]))
        server.start()

        async def stopped() -> None:
            task = asyncio.create_task(sending.deliver(only_id))
            await asyncio.to_thread(arrived.wait, 5)
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

    def test_what_a_late_worker_says_of_a_delivery_that_another_took_is_not_heard(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        listen(actor, receiver.url)
        edit(actor)
        late = deliveries.take(like=only())
        assert late
        WebhookDelivery.objects.update(claimed_at=timezone.now() + timedelta(seconds=1))
        deliveries.note(delivery=late, attempt=deliveries.Attempt(status=500, milliseconds=1, words="No."))
        assert (only().state, only().attempts) == ("sending", [])


class TestAfterwards:
    def test_a_failed_one_is_sent_again_with_eight_tries(self, actor: Actor, receiver: Receiver) -> None:
        listen(actor, receiver.url)
        edit(actor)
        receiver.answers = [410]
        send(only())
        deliveries.resend(actor=actor, delivery=only())
        assert (only().state, only().tries) == ("waiting", 0)
        send(only())
        assert only().state == "delivered"
        assert [attempt["status"] for attempt in only().attempts] == [410, 200]

    def test_old_ones_are_forgotten_but_not_what_waits(self, actor: Actor, receiver: Receiver) -> None:
        endpoint, _ = listen(actor, receiver.url)
        for _ in range(2):
            deliveries.test(actor=actor, endpoint=endpoint)
        first = WebhookDelivery.objects.order_by("created_at")[0]
        WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=31))
        WebhookDelivery.objects.filter(pk=first.pk).update(state="delivered")
        assert deliveries.purge() == 1
        assert only().pk != first.pk


class TestRemovedMeanwhile:
    def test_an_endpoint_that_goes_in_the_moment_in_which_a_job_ends_does_not_undo_its_end(
        self, actor: Actor
    ) -> None:
        endpoint, _ = listen(actor, "http://127.0.0.1:9/")
        job = jobs.submit(actor=actor, request=NewEdit(prompt="a harbour"))
        remover = threading.Thread(target=_remove, args=(actor, endpoint))
        with transaction.atomic():
            jobs.end_failed(job=job, code="x", message="x")
            remover.start()
            remover.join(0.5)
        remover.join()
        job.refresh_from_db()
        assert job.status == "failed"
        assert not WebhookEndpoint.objects.exists()
        assert not WebhookDelivery.objects.exists()


def _remove(actor: Actor, endpoint: WebhookEndpoint) -> None:
    try:
        webhooks.remove(actor=actor, endpoint=endpoint)
    finally:
        connection.close()
