"""The Webhooks page: endpoints, whose secret is shown once, and deliveries."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from editor.access import vault
from editor.access.actor import Actor
from editor.models import CreditAccount, WebhookDelivery, WebhookEndpoint
from editor.operations.webhooks import deliveries, endpoints
from tests.factories import make_actor
from tests.web.requests import HTMX, body, signed_in

pytestmark = pytest.mark.django_db

URL = "https://hooks.example/portal"
ALL = ["job.completed", "job.failed", "job.canceled", "credits.low"]


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def client(actor: Actor) -> Client:
    return signed_in(actor.user)


def at(actor: Actor, name: str = "webhooks", *args: Any) -> str:
    return reverse(name, args=[actor.workspace.slug, *args])


def add(actor: Actor, url: str = URL) -> WebhookEndpoint:
    return endpoints.create(actor=actor, url=url, events=ALL, origin="https://portal.example")[0]


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["dialog", "without script"])
def test_a_new_endpoint_shows_its_secret_once(actor: Actor, client: Client, headers: dict[str, str]) -> None:
    response = client.post(at(actor), {"url": URL, "events": ALL}, headers=headers)
    endpoint = WebhookEndpoint.objects.get()
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", body(response))
    assert vault.decrypt(purpose=endpoints.purpose(endpoint.id), token=endpoint.secret) == secret
    assert response["Cache-Control"] == "private, no-store"
    assert endpoint.origin == "http://testserver"
    assert "whsec_" not in body(client.get(at(actor)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"url": "", "events": ALL}, "Enter an https URL."),
        ({"url": URL}, "Choose at least one event."),
        ({"url": "http://127.0.0.1/", "events": ALL}, "Only https URLs"),
        ({"url": URL, "events": ["webhook.test"]}, "Select a valid choice"),
    ],
)
def test_invalid_input_is_reported_and_no_endpoint_is_created(
    actor: Actor, client: Client, fields: dict[str, Any], message: str
) -> None:
    for headers in (HTMX, {}):
        response = client.post(at(actor), fields, headers=headers)
        assert response.status_code == 400
        assert message in body(response)
    assert not WebhookEndpoint.objects.exists()


def test_a_url_that_is_already_used_is_refused(actor: Actor, client: Client) -> None:
    add(actor)
    for headers in (HTMX, {}):
        response = client.post(at(actor), {"url": URL, "events": ALL}, headers=headers)
        assert response.status_code == 409
        assert "already an endpoint" in body(response)


def test_an_endpoints_events_can_be_changed_and_it_can_be_disabled(actor: Actor, client: Client) -> None:
    endpoint = add(actor)
    response = client.post(at(actor, "webhook_change", endpoint.id), {"events": ["job.failed"]}, headers=HTMX)
    endpoint.refresh_from_db()
    assert (endpoint.events, endpoint.is_enabled) == (["job.failed"], False)
    assert "Disabled" in body(response)


def test_a_new_secret_is_shown_once(actor: Actor, client: Client) -> None:
    endpoint = add(actor)
    response = client.post(at(actor, "webhook_secret", endpoint.id), headers=HTMX)
    endpoint.refresh_from_db()
    assert vault.decrypt(purpose=endpoints.purpose(endpoint.id), token=endpoint.secret) in body(response)


def test_a_test_event_is_sent_and_shown(actor: Actor, client: Client) -> None:
    endpoint = add(actor)
    response = client.post(at(actor, "webhook_test", endpoint.id), headers=HTMX)
    assert "webhook.test" in body(response)
    assert WebhookDelivery.objects.get().endpoint == endpoint
    assert client.post(at(actor, "webhook_test", endpoint.id))["Location"] == at(actor)


def test_a_failed_delivery_shows_why_and_can_be_sent_again(actor: Actor, client: Client) -> None:
    delivery = deliveries.test(actor=actor, endpoint=add(actor))
    taken = deliveries.claim(like=delivery)
    assert taken
    failed = deliveries.Attempt(status=410, milliseconds=12, message="It responded with 410.", gone=True)
    deliveries.record_attempt(delivery=taken, attempt=failed)
    page = body(client.get(at(actor)))
    assert "It responded with 410" in page
    assert "Failed" in page
    assert URL not in re.sub(r"(?s).*<table", "", page)
    response = client.post(at(actor, "webhook_resend", delivery.id), headers=HTMX)
    assert "Waiting" in body(response)


def test_the_low_balance_threshold_is_saved(actor: Actor, client: Client) -> None:
    client.post(at(actor, "webhook_low_balance"), {"low_balance_threshold": "7"})
    assert CreditAccount.objects.get(workspace=actor.workspace).low_balance_threshold == 7
    assert client.post(at(actor, "webhook_low_balance"), {"low_balance_threshold": "-1"}).status_code == 400
    assert client.post(at(actor, "webhook_low_balance"), {"low_balance_threshold": "٣"}).status_code == 400


def test_the_list_polls_only_while_a_delivery_is_pending(actor: Actor, client: Client) -> None:
    delivery = deliveries.test(actor=actor, endpoint=add(actor))
    assert "hx-trigger" in body(client.get(at(actor, "webhook_deliveries")))
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_try_at=timezone.now() + timedelta(hours=1))
    assert "hx-trigger" not in body(client.get(at(actor, "webhook_deliveries")))


def test_the_number_of_queries_does_not_grow_with_the_rows(
    actor: Actor, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        endpoint = add(actor, f"{URL}/{number}")
        for _ in range(10):
            deliveries.test(actor=actor, endpoint=endpoint)
    with django_assert_max_num_queries(11):
        client.get(at(actor))
