"""The operator's pages take as many queries for many rows as for few."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.models import (
    AuditEntry,
    CreditAccount,
    DailyUsage,
    Job,
    JobEvent,
    LedgerEntry,
    Membership,
    ModelSetting,
    Plan,
    Role,
    RouteSetting,
    Status,
    User,
    Workspace,
)
from tests.factories import make_member, make_workspace
from tests.web.operator.test_access import MODEL, make_operator
from tests.web.requests import HTMX, signed_in
from tests.web.rows import add_hold, add_job

pytestmark = pytest.mark.django_db

PAGES = ["operator", "operator_workspaces", "operator_plans", "operator_people", "operator_providers"]
PAGES += ["operator_models", "operator_edits", "operator_ledger", "operator_audit"]


@pytest.fixture
def client() -> Client:
    return signed_in(make_operator())


def fill(rows: int) -> None:
    """Add workspaces, each with an owner, edits and their entries, and a price of its own."""
    plan, now, start = Plan.objects.get(is_default=True), timezone.now(), Workspace.objects.count()
    numbers = range(start, start + rows)
    people = User.objects.bulk_create(User(email=f"person{n}@example.test") for n in numbers)
    places = Workspace.objects.bulk_create(
        Workspace(name=f"Studio {n:04}", slug=f"studio-{n}", plan=plan) for n in numbers
    )
    accounts = CreditAccount.objects.bulk_create(CreditAccount(workspace=one, balance=9) for one in places)
    jobs = []
    for place, person, account in zip(places, people, accounts, strict=True):
        Membership.objects.create(workspace=place, user=person, role=Role.OWNER)
        ModelSetting.objects.create(model=MODEL, workspace=place, credits=3)
        DailyUsage.objects.create(account=account, day=now.date(), user=person, model=MODEL, channel="web")
        UserSession.objects.create(user=person, ip="192.0.2.1", user_agent="x", session_key=str(place.pk))
        of = {"workspace": place, "model": MODEL, "prompt": "x", "target": "x", "price": 4, "time_limit": 60}
        ended = {
            "status": Status.FAILED,
            "created_by": person,
            "tried_providers": ["fal"],
            "finished_at": now,
        }
        jobs += [Job(**of, provider="bfl", **ended), Job(**of, provider="fal", status=Status.PENDING)]
    Job.objects.bulk_create(jobs)
    JobEvent.objects.bulk_create(JobEvent(job=job, kind=JobEvent.Kind.ERROR) for job in jobs)
    LedgerEntry.objects.bulk_create(
        LedgerEntry(account=account, kind="grant", amount=9, balance_after=9, held_after=0)
        for account in accounts
    )
    AuditEntry.objects.bulk_create(
        AuditEntry(workspace=place, actor_kind="system", action="workspace.created", target=place.name)
        for place in places
    )


def test_a_page_takes_as_many_queries_for_1000_workspaces_as_for_10_and_stays_small(client: Client) -> None:
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(url).status_code == 200
        return len(found)

    fill(10)
    busy = make_workspace(name="Busy")
    urls = [*(reverse(name) for name in PAGES), reverse("operator_workspace", args=[busy.pk])]
    for url in urls:
        client.get(url)
    few = {url: queries(url) for url in urls}
    fill(989)
    for number in range(30):
        add_hold(add_job(busy, status=Status.PENDING))
        make_member(busy)
        RouteSetting.objects.create(provider="bfl", model=f"gone/{number}")
        ModelSetting.objects.create(model=f"gone/{number}", workspace=busy, credits=3)
    assert Workspace.objects.count() == 1_000
    assert {url: queries(url) for url in urls} == few
    for url in urls:
        assert len(client.get(url).content) < 150_000, url


def test_all_workspaces_and_people_can_be_paged_through(client: Client) -> None:
    fill(101)
    for name, last in (("operator_workspaces", 1), ("operator_people", 2)):  # the operator is one more
        pages = [client.get(reverse(name), {"page": number}, headers=HTMX) for number in (1, 2, 3)]
        assert [page.content.count(b'<th scope="row">') for page in pages] == [50, 50, last], name


def test_the_models_page_names_the_first_workspaces_with_a_price_of_their_own(client: Client) -> None:
    fill(7)
    page = " ".join(client.get(reverse("operator_models")).content.decode().split())
    assert page.count(": 3</a>") == 5
    assert "and 2 more" in page
