"""Password reset requests: the page, and what it queues, are the same for every address."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.operations import queue
from tests.factories import UserFactory
from tests.web.requests import body

pytestmark = pytest.mark.django_db

RESET = reverse("account_reset_password")


def queued() -> list[dict[str, Any]]:
    rows = ProcrastinateJob.objects.filter(task_name=queue.SEND_MAIL).order_by("id")
    return list(rows.values_list("args", flat=True))


def ask(email: str, **headers: str) -> tuple[Any, int]:
    """The response, and its number of queries."""
    with CaptureQueriesContext(connection) as queries:
        answer = Client().post(RESET, {"email": email}, headers=headers)
    return answer, len(queries)


def test_known_and_unknown_addresses_get_the_same_response() -> None:
    UserFactory.create(email="amara@example.test")
    UserFactory.create(email="off@example.test", is_active=False)
    known, *others = [ask(f"{name}@example.test") for name in ("amara", "nobody", "off")]
    for answer, queries in others:
        assert (answer.status_code, answer["Location"], queries) == (
            known[0].status_code,
            known[0]["Location"],
            known[1],
        )
        assert body(Client().get(answer["Location"])) == body(Client().get(known[0]["Location"]))
    assert [row["email"] for row in queued()] == [
        "amara@example.test",
        "nobody@example.test",
        "off@example.test",
    ]
    assert mail.outbox == []  # the worker sends mails


def test_no_token_is_stored_in_the_queue() -> None:
    UserFactory.create(email="amara@example.test")
    ask("Amara@example.test")
    assert queued() == [
        {"kind": "reset", "email": "amara@example.test", "origin": "http://testserver", "details": {}}
    ]


@pytest.mark.parametrize("host", ["localhost:4444", "localhost.", "testserver:1"])
def test_the_host_header_is_ignored(settings: Settings, host: str) -> None:
    settings.BASE_URL = "https://images.example.com"
    ask("amara@example.test", host=host)
    assert queued()[0]["origin"] == "https://images.example.com"


def test_without_a_configured_host_the_missing_setting_is_named(settings: Settings) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS = "", ["*"]
    answer, _ = ask("amara@example.test", host="evil.example")
    assert answer.status_code == 422
    assert "BASE_URL" in answer.content.decode()
    assert queued() == []


def test_many_mails_to_one_address_are_refused_with_the_portals_page() -> None:
    answers = [ask("amara@example.test")[0].status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]
    assert "Too many requests" in ask("amara@example.test")[0].content.decode()
    assert len(queued()) == 5


def test_one_network_requests_a_limited_number_of_mails_and_keeps_nobody_else_from_it(
    settings: Settings,
) -> None:
    rates = settings.ACCOUNT_RATE_LIMITS  # per day instead of per minute: the machine may be slow
    settings.ACCOUNT_RATE_LIMITS = rates | {
        "reset_password": rates["reset_password"].replace("/m/", "/d/"),
    }

    def request(number: int, place: str) -> int:
        client = Client(REMOTE_ADDR=place)
        return client.post(RESET, {"email": f"person{number}@example.test"}).status_code

    tries = [request(number, f"2001:db8:1:2::{number:x}") for number in range(21)]
    assert tries == [302] * 20 + [429]
    assert request(20, "2001:db8:1:3::1") == 302
