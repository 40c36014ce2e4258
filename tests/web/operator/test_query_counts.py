"""The operator's pages take as many queries for many rows as for few."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.models import DailyUsage, JobEvent, ModelSetting, RouteSetting, Status, Workspace
from tests.factories import make_member, make_workspace
from tests.web.operator.test_access import MODEL, make_operator
from tests.web.requests import signed_in
from tests.web.rows import add_hold, add_job

pytestmark = pytest.mark.django_db

PAGES = ["operator", "operator_workspaces", "operator_plans", "operator_people", "operator_providers"]
PAGES += ["operator_models", "operator_edits", "operator_ledger", "operator_audit"]


@pytest.fixture
def client() -> Client:
    return signed_in(make_operator())


def fill(rows: int) -> None:
    for _ in range(rows):
        workspace = make_workspace()
        person = workspace.members.get()
        failed = add_job(
            workspace, status=Status.FAILED, provider="bfl", created_by=person, tried_providers=["fal"]
        )
        JobEvent.objects.create(job=failed, kind=JobEvent.Kind.ERROR)
        add_hold(failed)
        add_job(workspace, status=Status.PENDING)
        ModelSetting.objects.create(model=MODEL, workspace=workspace, credits=3)
        DailyUsage.objects.create(
            account_id=workspace.pk, day=timezone.now().date(), user=person, model=MODEL, channel="web"
        )
        UserSession.objects.create(
            user=person, ip="192.0.2.1", user_agent="x", session_key=str(workspace.pk)[:40]
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
    for name, rows in (("operator_workspaces", 101), ("operator_people", 102)):
        sizes = [
            client.get(reverse(name), {"page": number}).content.count(b'<th scope="row">')
            for number in (1, 2, 3)
        ]
        assert sizes == [50, 50, rows - 100], name


def test_the_models_page_names_the_first_workspaces_with_a_price_of_their_own(client: Client) -> None:
    fill(7)
    page = " ".join(client.get(reverse("operator_models")).content.decode().split())
    assert page.count("/operator/workspaces/") == 1 + 5  # the navigation's
    assert "and 2 more" in page
