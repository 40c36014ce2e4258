"""The page Credits & usage: its tiles, chart and ledger."""

from __future__ import annotations

import pytest
from django.urls import reverse

from editor.models import Job
from editor.operations import credits
from tests.factories import make_workspace
from tests.web.requests import body, signed_in
from tests.web.rows import add_job

pytestmark = pytest.mark.django_db


def test_it_opens() -> None:
    workspace = make_workspace(balance=100)
    owner = workspace.members.get()
    for cost in (4, 3):
        job: Job = add_job(workspace, price=4, created_by=owner)
        credits.hold(account=credits.lock_account(workspace_id=workspace.pk), job=job)
        credits.settle(job=job, cost=cost)
    response = signed_in(owner).get(reverse("credits", args=[workspace.slug]))
    page = body(response)
    assert response.status_code == 200
    assert "Charged" in page
