"""The operator's pages take as many queries for many rows as for few."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.models import DailyUsage, JobEvent, ModelSetting, Status
from tests.factories import make_workspace
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


@pytest.mark.parametrize("name", PAGES)
def test_a_page_takes_as_many_queries_for_many_rows(client: Client, name: str) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(name)).status_code == 200
        return len(queries)

    fill(2)
    client.get(reverse(name))
    few = count()
    fill(20)
    assert count() == few


def test_a_page_is_small(client: Client) -> None:
    fill(60)
    for name in PAGES:
        assert len(client.get(reverse(name)).content) < 150_000, name
