"""Webhook endpoints: permissions, allowed URLs, and encrypted secrets."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from editor.access import lookups, vault
from editor.access.actor import Actor
from editor.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from editor.models import AuditEntry, CreditAccount, Role, WebhookDelivery
from editor.net import policy
from editor.operations import alerts
from editor.operations.webhooks import callbacks, deliveries, endpoints
from tests.factories import make_actor, make_member

pytestmark = pytest.mark.django_db

URL = "https://hooks.example/portal?token=s3cret"


@pytest.fixture(autouse=True)
def _no_address_is_exempt() -> Iterator[None]:
    policy.allow([])
    yield


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def editor(actor: Actor) -> Actor:
    return make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.EDITOR))


def create(actor: Actor, url: str = URL, events: tuple[str, ...] = ("job.completed",)):
    return endpoints.create(actor=actor, url=url, events=events, origin="https://portal.example")


def test_a_new_endpoint_has_a_secret_that_is_kept_encrypted(actor: Actor) -> None:
    endpoint, secret = create(actor)
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secret.encode() not in bytes(endpoint.secret)
    assert vault.decrypt(purpose=endpoints.purpose(endpoint.id), token=endpoint.secret) == secret


def test_renewing_replaces_the_secret(actor: Actor) -> None:
    endpoint, secret = create(actor)
    renewed = endpoints.renew_secret(actor=actor, endpoint=endpoint)
    endpoint.refresh_from_db()
    assert renewed != secret
    assert vault.decrypt(purpose=endpoints.purpose(endpoint.id), token=endpoint.secret) == renewed


def test_the_audit_log_names_the_url_without_its_query(actor: Actor) -> None:
    create(actor)
    entry = AuditEntry.objects.get(action="webhook.created")
    assert entry.target == "https://hooks.example/portal"
    assert "s3cret" not in str(entry.data)


def test_editors_cannot_manage_endpoints(actor: Actor, editor: Actor) -> None:
    endpoint, _ = create(actor)
    delivery = deliveries.test(actor=actor, endpoint=endpoint)
    for attempt in (
        lambda: create(editor),
        lambda: endpoints.change(actor=editor, endpoint=endpoint, events=["job.failed"], is_enabled=False),
        lambda: endpoints.renew_secret(actor=editor, endpoint=endpoint),
        lambda: endpoints.remove(actor=editor, endpoint=endpoint),
        lambda: endpoints.set_low_balance_threshold(actor=editor, credits=1),
        lambda: deliveries.test(actor=editor, endpoint=endpoint),
        lambda: deliveries.resend(actor=editor, delivery=delivery),
    ):
        with pytest.raises(PermissionDenied):
            attempt()


def test_rows_of_another_workspace_are_not_found(actor: Actor) -> None:
    endpoint, _ = create(actor)
    delivery = deliveries.test(actor=actor, endpoint=endpoint)
    other = make_actor(name="Other")
    with pytest.raises(NotFound):
        lookups.webhook_endpoint(other, endpoint.id)
    with pytest.raises(NotFound):
        lookups.webhook_delivery(other, delivery.id)
    assert lookups.webhook_endpoint(actor, str(endpoint.id)) == endpoint
    assert lookups.webhook_delivery(actor, str(delivery.id)) == delivery


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "http://hooks.example/",
        "https://hooks.example:8443/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
        "https://user:password@hooks.example/",
        "https://hooks.example/\n/x",
        "https://hooks.example/a b",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/#part",
        "ftp://hooks.example/",
        "https://hooks.example/" + "x" * 2083,
        "https://\ud800.example/",
        "https://[",
        "https://[hooks]/",
    ],
)
def test_a_url_that_the_portal_may_not_call_is_refused(actor: Actor, url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(actor, url)
    assert "url" in caught.value.fields


@pytest.mark.parametrize("events", [(), ("job.started",), ("webhook.test",)])
def test_invalid_event_subscriptions_are_refused(actor: Actor, events: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as caught:
        create(actor, events=events)
    assert "events" in caught.value.fields


def test_duplicate_or_too_many_endpoints_are_refused(actor: Actor) -> None:
    create(actor)
    with pytest.raises(Conflict):
        create(actor)
    for number in range(endpoints.MOST_ENDPOINTS - 1):
        create(actor, f"https://hooks.example/{number}")
    with pytest.raises(Conflict):
        create(actor, "https://hooks.example/more")


def test_removing_an_endpoint_removes_its_pending_deliveries(actor: Actor) -> None:
    endpoint, _ = create(actor)
    deliveries.test(actor=actor, endpoint=endpoint)
    endpoints.remove(actor=actor, endpoint=endpoint)
    endpoints.remove(actor=actor, endpoint=endpoint)
    assert not WebhookDelivery.objects.exists()
    assert AuditEntry.objects.filter(action="webhook.removed").count() == 1


def test_a_disabled_endpoint_receives_only_tests(actor: Actor) -> None:
    endpoint, _ = create(actor, events=("credits.low",))
    endpoints.change(actor=actor, endpoint=endpoint, events=["credits.low"], is_enabled=False)
    account = CreditAccount.objects.get(workspace=actor.workspace)
    account.balance = 10
    deliveries.balance_fell(account=account)
    assert not WebhookDelivery.objects.exists()
    deliveries.test(actor=actor, endpoint=endpoint)
    assert WebhookDelivery.objects.count() == 1


def test_an_endpoint_whose_url_is_no_longer_allowed_can_be_disabled(actor: Actor) -> None:
    policy.allow(["hooks.internal"])
    endpoint, _ = create(actor, "http://hooks.internal/")
    policy.allow([])
    endpoints.change(actor=actor, endpoint=endpoint, events=["job.failed"], is_enabled=False)
    endpoint.refresh_from_db()
    assert not endpoint.is_enabled


@pytest.mark.parametrize(
    ("before", "after", "mark", "reported"),
    [
        (100, 49, 50, True),
        (50, 49, 50, True),
        (49, 48, 50, False),
        (100, 50, 50, False),
        (9, 0, 0, False),
        (40, 90, 50, False),
    ],
)
def test_low_credits_are_reported_when_the_balance_falls_below_the_threshold(
    actor: Actor, before: int, after: int, mark: int, reported: bool
) -> None:
    create(actor, events=("credits.low",))
    endpoints.set_low_balance_threshold(actor=actor, credits=mark)
    account = CreditAccount.objects.get(workspace=actor.workspace)
    account.balance = after
    alerts.balance_changed(account=account, before=before)
    assert WebhookDelivery.objects.exists() is reported


@pytest.mark.parametrize("credits", [-1, 1_000_000_001])
def test_a_threshold_out_of_range_is_refused(actor: Actor, credits: int) -> None:
    with pytest.raises(InvalidInput):
        endpoints.set_low_balance_threshold(actor=actor, credits=credits)


def test_a_delivery_that_is_being_sent_cannot_be_resent(actor: Actor) -> None:
    endpoint, _ = create(actor)
    delivery = deliveries.test(actor=actor, endpoint=endpoint)
    assert deliveries.claim(like=delivery)
    with pytest.raises(Conflict):
        deliveries.resend(actor=actor, delivery=delivery)


@pytest.mark.parametrize(
    ("secret", "fine"),
    [
        ("whsec_" + base64.b64encode(b"x" * 24).decode(), True),
        (base64.b64encode(b"x" * 64).decode(), True),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), False),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), False),
        ("whsec_not base64 at all, is it?", False),
        ("ü" * 40, False),
        ("", False),
    ],
)
def test_a_signing_secret_has_24_to_64_bytes_of_base64(secret: str, fine: bool) -> None:
    if fine:
        callbacks.check_standard_secret(secret)
    else:
        with pytest.raises(InvalidInput):
            callbacks.check_standard_secret(secret)
