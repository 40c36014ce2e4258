"""The Credits page lists what changed the balance."""

from __future__ import annotations

import pytest
from django.urls import reverse

from editor.models import Job
from editor.operations import credits
from tests.factories import make_workspace
from tests.web.requests import body, signed_in
from tests.web.rows import add_job

pytestmark = pytest.mark.django_db


def test_a_settlement_is_listed_only_if_it_returns_credits() -> None:
    workspace = make_workspace(balance=100)
    for cost in (4, 3):
        job: Job = add_job(workspace, price=4)
        credits.hold(account=credits.lock_account(workspace_id=workspace.pk), job=job)
        credits.settle(job=job, cost=cost)
    page = body(signed_in(workspace.members.get()).get(reverse("credits", args=[workspace.slug])))
    assert page.count("Edit, ") == 2
    assert page.count("Settled, ") == 1
    assert '<td class="num">0</td>' not in page
