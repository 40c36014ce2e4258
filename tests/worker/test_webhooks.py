"""Webhooks over real HTTP: events, recipients, signatures, and nothing sent before the commit."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from dataclasses import replace

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings
from standardwebhooks import Webhook

from editor.access.actor import Actor
from editor.models import CreditAccount, WebhookDelivery
from editor.operations import jobs, outcomes
from editor.operations.jobs import NewEdit
from editor.operations.webhooks.callbacks import Callback
from tests.emulators.receiver import Receiver
from tests.factories import make_actor
from tests.worker.hooks import ORIGIN, SECRET, edit, listen, only, send

pytestmark = pytest.mark.usefixtures("committed", "loopback_is_allowed")


class TestPayloads:
    def test_a_completed_edit_is_reported_to_an_endpoint_and_the_library_verifies_it(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        _, secret = listen(actor, receiver.url)
        job = edit(actor)
        send(only())
        [(headers, body)] = receiver.wait(1)
        reported = Webhook(secret).verify(body, headers)
        assert reported["type"] == "job.completed"
        assert reported["data"]["job_id"] == str(job.id)
        assert reported["data"]["result_url"].startswith(f"{ORIGIN}/i/")
        assert reported["data"]["credits_consumed"] == job.charged > 0
        assert headers["webhook-id"] == f"msg_{only().id.hex}"
        assert headers["content-type"] == "application/json"
        delivery = only()
        assert (delivery.state, delivery.tries, delivery.attempts[0]["status"]) == ("delivered", 1, 200)

    @pytest.mark.parametrize(
        ("prompt", "event"), [("[fail] a harbour", "job.failed"), ("[moderate] a harbour", "job.failed")]
    )
    def test_a_failed_edit_is_reported_with_its_reason(
        self, actor: Actor, receiver: Receiver, prompt: str, event: str
    ) -> None:
        _, secret = listen(actor, receiver.url)
        job = edit(actor, prompt)
        assert job.status == "failed"
        send(only())
        reported = Webhook(secret).verify(receiver.wait(1)[0][1], receiver.got[0][0])
        assert (reported["type"], reported["data"]["error"]) == (event, job.error)

    def test_a_canceled_edit_is_reported(self, actor: Actor, receiver: Receiver) -> None:
        listen(actor, receiver.url)
        job = jobs.submit(actor=actor, request=NewEdit(prompt="a harbour"))
        jobs.cancel(actor=actor, job=job)
        send(only())
        assert json.loads(receiver.wait(1)[0][1])["type"] == "job.canceled"

    def test_low_credits_are_reported_once_until_the_balance_rises(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        _, secret = listen(actor, receiver.url, ["credits.low"])
        CreditAccount.objects.update(low_balance_threshold=97)
        edit(actor)  # costs 4 credits: from 100 to 96
        edit(actor)
        send(only())
        reported = Webhook(secret).verify(receiver.wait(1)[0][1], receiver.got[0][0])
        assert (reported["type"], reported["data"]) == ("credits.low", {"balance": 96, "low_mark": 97})

    def test_an_endpoint_receives_only_subscribed_events_of_its_workspace(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        listen(actor, receiver.url, ["job.failed"])
        listen(make_actor(), receiver.url + "?other")
        edit(actor)
        assert not WebhookDelivery.objects.exists()

    def test_a_callback_is_signed_with_the_callers_secret(self, actor: Actor, receiver: Receiver) -> None:
        edit(actor, callback=Callback(url=receiver.url, secret=SECRET, origin=ORIGIN))
        edit(actor)
        send(only())
        [(headers, body)] = receiver.wait(1)
        assert Webhook(SECRET).verify(body, headers)["type"] == "job.completed"

    def test_a_callback_without_a_secret_is_not_signed(self, actor: Actor, receiver: Receiver) -> None:
        edit(actor, callback=Callback(url=receiver.url, secret="", origin=ORIGIN))
        send(only())
        assert "webhook-signature" not in receiver.wait(1)[0][0]

    def test_deliveries_appear_with_the_commit_and_not_after_a_rollback(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        listen(actor, receiver.url)
        job = jobs.submit(actor=actor, request=NewEdit(prompt="a harbour"))
        tasks = ProcrastinateJob.objects.filter(task_name="deliver_webhook")
        seen: list[int] = []
        with pytest.raises(RuntimeError), transaction.atomic():
            outcomes.end_failed(job=job, code="x", message="x")
            look = threading.Thread(target=lambda: seen.append(_count_elsewhere()))
            look.start()
            look.join()
            raise RuntimeError
        assert seen == [0]
        assert (tasks.count(), WebhookDelivery.objects.count()) == (0, 0)
        outcomes.end_failed(job=job, code="x", message="x")
        assert (tasks.count(), WebhookDelivery.objects.count()) == (1, 1)


def _count_elsewhere() -> int:
    """The number of deliveries that another connection sees."""
    try:
        return WebhookDelivery.objects.count()
    finally:
        connection.close()


class TestCompatiblePayloads:
    """Callbacks to callers of the compatible APIs have the payloads of those services."""

    def test_callers_of_the_bfl_api_get_its_result_and_its_signature(
        self, actor: Actor, receiver: Receiver
    ) -> None:
        there = replace(actor, channel="bfl")
        job = edit(there, callback=Callback(url=receiver.url, secret="s3cret", origin=ORIGIN))
        send(only())
        [(headers, body)] = receiver.wait(1)
        reported = json.loads(body)
        assert (reported["id"], reported["task_id"], reported["status"]) == (
            str(job.id),
            str(job.id),
            "Ready",
        )
        assert reported["result"]["sample"].startswith(f"{ORIGIN}/results/")
        signature = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        assert headers["x-bfl-signature"] == f"sha256={signature}"

    def test_callers_of_the_wiro_api_get_the_task(self, actor: Actor, receiver: Receiver) -> None:
        there = replace(actor, channel="wiro")
        job = edit(there, "[fail] a harbour", callback=Callback(url=receiver.url, secret="", origin=ORIGIN))
        send(only())
        reported = json.loads(receiver.wait(1)[0][1])
        assert (reported["taskid"], reported["status"], reported["result"]) == (
            str(job.number),
            "task_postprocess_end",
            True,
        )
        [task] = reported["tasklist"]
        assert (task["pexit"], task["debugerror"], task["outputs"]) == ("1", job.error, [])


@pytest.mark.parametrize("channel", ["endpoint", "api", "bfl", "wiro"])
def test_links_begin_with_the_base_url_even_if_it_was_set_later(
    actor: Actor, receiver: Receiver, settings: Settings, channel: str
) -> None:
    if channel == "endpoint":
        listen(actor, receiver.url)
        edit(actor)
    else:
        callback = Callback(url=receiver.url, secret="", origin=ORIGIN)
        edit(replace(actor, channel=channel), callback=callback)
    settings.BASE_URL = "https://images.example.com:8443"
    send(only())
    [(_, body)] = receiver.wait(1)
    assert b"https://images.example.com:8443/" in body
    assert ORIGIN.encode() not in body
