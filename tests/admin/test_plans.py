"""Plans in the admin: the default can be moved, and never removed."""

from __future__ import annotations

import pytest
from django.test import Client

from editor.models import Plan, User
from tests.factories import PASSWORD, make_workspace
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return signed_in(User.objects.create_superuser("operator@example.test", PASSWORD))


def fields(name: str, **more: object) -> dict[str, object]:
    monthly = {"monthly_credits": 0, "rollover": "none", "rollover_limit": 0}
    return {"name": name, "requests_per_minute": 60, "concurrent_jobs": 100, **monthly, **more}


def test_the_default_cannot_be_unset_and_the_page_explains_what_to_do(client: Client) -> None:
    plan = Plan.objects.get(is_default=True)
    url = f"/admin/editor/plan/{plan.pk}/change/"
    assert "tick this box on another plan" in client.get(url).content.decode()
    assert client.post(url, fields("Standard", requests_per_minute=7)).status_code == 302
    assert make_workspace().plan == plan
    plan.refresh_from_db()
    assert (plan.is_default, plan.requests_per_minute) == (True, 7)


def test_setting_another_default_plan_moves_the_default(client: Client) -> None:
    other = Plan.objects.create(name="Large")
    data = fields("Large", is_default="on")
    response = client.post(f"/admin/editor/plan/{other.pk}/change/", data)
    assert response.status_code == 302, response.content.decode()
    assert Plan.objects.get(is_default=True) == other
    response = client.post("/admin/editor/plan/add/", fields("Larger", is_default="on"))
    assert response.status_code == 302, response.content.decode()
    assert make_workspace().plan.name == "Larger"


def test_plans_are_still_validated(client: Client) -> None:
    response = client.post("/admin/editor/plan/add/", fields("None", concurrent_jobs=0))
    assert response.status_code == 200
    assert not Plan.objects.filter(name="None").exists()
