"""People for operators: find, disable, end sessions, reset the second factor."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from editor.access import operators
from editor.contexts.operator.workspaces import people_page
from editor.operations import people, second_factors, sessions
from editor.web.decorators import OperatorRequest, operator
from editor.web.forms.operator import ConfirmForm
from editor.web.htmx import is_fragment
from editor.web.views.operator.acts import Act, answer, page_number, posted
from editor.web.views.operator.workspaces import LONGEST_WORDS

_form = require_http_methods(["GET", "HEAD", "POST"])


@operator
@require_safe
def page(request: OperatorRequest) -> HttpResponse:
    """People by name or email (`?q=`), a page at a time (`?page=`)."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_WORDS]
    number = page_number(request.GET.get("page", ""))
    found = people_page(words=words, number=number, viewer=request.operator)
    template = "operator/_people.html" if is_fragment(request) else "operator/people.html"
    return render(request, template, {"page": found, "nav": "people"})


@operator
@_form
def disable(request: OperatorRequest, user_id: UUID) -> HttpResponse:
    """Disable the account."""
    person = operators.person(user_id)

    def do(values: dict[str, Any]) -> str:
        people.set_active(user=person, actor=request.operator, active=False)
        return f"The account of {person.email} is disabled."

    text = "Their sessions and API calls end at once, and they cannot sign in. What they made stays."
    act = Act(f"Disable {person.display_name}?", "Disable", _back(person.email), "people", text)
    return answer(request, act, ConfirmForm(posted(request)), do)


@operator
@_form
def enable(request: OperatorRequest, user_id: UUID) -> HttpResponse:
    """Enable the account again."""
    person = operators.person(user_id)

    def do(values: dict[str, Any]) -> str:
        people.set_active(user=person, actor=request.operator, active=True)
        return f"The account of {person.email} is enabled."

    act = Act(f"Enable {person.display_name}?", "Enable", _back(person.email), "people")
    return answer(request, act, ConfirmForm(posted(request)), do)


@operator
@_form
def end_sessions(request: OperatorRequest, user_id: UUID) -> HttpResponse:
    """Sign the person out everywhere; of the operator's own sessions, this one stays."""
    person = operators.person(user_id)

    def do(values: dict[str, Any]) -> str:
        here = request.session.session_key if person == request.operator else None
        sessions.end_all(user=person, actor=request.operator, but=here)
        return f"The sessions of {person.email} are ended."

    text = "They are signed out on all devices. Their API keys go on."
    act = Act(
        f"End the sessions of {person.display_name}?", "End sessions", _back(person.email), "people", text
    )
    return answer(request, act, ConfirmForm(posted(request)), do)


@operator
@_form
def reset_factor(request: OperatorRequest, user_id: UUID) -> HttpResponse:
    """Remove the person's second factor."""
    person = operators.person(user_id)

    def do(values: dict[str, Any]) -> str:
        second_factors.reset(user=person, actor=request.operator)
        return f"The second factor of {person.email} is reset."

    text = (
        "For a lost phone or key: their app, passkeys and recovery codes are removed, and their sessions "
        "end. They sign in with their password alone, and a mail tells them."
    )
    act = Act(
        f"Reset the second factor of {person.display_name}?", "Reset", _back(person.email), "people", text
    )
    return answer(request, act, ConfirmForm(posted(request)), do)


def _back(email: str) -> str:
    return reverse("operator_people", query={"q": email})
