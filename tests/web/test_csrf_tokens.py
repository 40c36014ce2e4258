"""Each post form contains the CSRF token, also for browsers without script."""

from __future__ import annotations

import re

import pytest

from tests.web.requests import HTMX, signed_in
from tests.web.routes import IN_A_WORKSPACE, make_rows

pytestmark = pytest.mark.django_db

FORM = re.compile(r"<form\b.*?</form>", re.DOTALL)
BUTTON = re.compile(r"<button\b[^>]*formmethod=\"post\"[^>]*>")
TOKEN = re.compile(r"name=\"csrfmiddlewaretoken\"\s+value=\"\w{64}\"")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("name", [name for name, route in IN_A_WORKSPACE.items() if route.method == "get"])
def test_each_post_form_has_a_csrf_token(name: str, headers: dict[str, str]) -> None:
    rows, route = make_rows("Acme"), IN_A_WORKSPACE[name]
    response = signed_in(rows.workspace.members.get()).get(
        route.url(name, rows), route.fields(rows), headers=headers
    )
    if response.streaming:
        return
    page = response.content.decode()
    for form in FORM.findall(page) + BUTTON.findall(page):
        if 'method="post"' in form:
            assert TOKEN.search(form), form
