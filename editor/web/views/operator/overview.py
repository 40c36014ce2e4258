"""The operator's overview, the queue and failures, the ledger, and the test of the mail server."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from editor.access import operators
from editor.contexts.operator.edits import edits_page
from editor.contexts.operator.overview import overview
from editor.contexts.operator.workspaces import ledger_page
from editor.errors import NotFound
from editor.operations import mails
from editor.web.decorators import OperatorRequest, operator
from editor.web.forms.operator import MailForm
from editor.web.htmx import is_fragment
from editor.web.views.operator.acts import Act, answer, posted

LONGEST_ADDRESS = 60  # characters of a workspace's address


@operator
@require_safe
def page(request: OperatorRequest) -> HttpResponse:
    """The last 24 hours; over htmx what changes by itself."""
    template = "operator/_overview.html" if is_fragment(request) else "operator/overview.html"
    return render(request, template, {"page": overview(), "nav": "overview"})


@operator
@require_safe
def edits(request: OperatorRequest) -> HttpResponse:
    """The queue, workers, and what failed, the newest first or before the time `?before=`."""
    context = {"page": edits_page(before=_time(request.GET.get("before", ""))), "nav": "edits"}
    template = "operator/_queue.html" if is_fragment(request) else "operator/edits.html"
    return render(request, template, context)


@operator
@require_safe
def ledger(request: OperatorRequest) -> HttpResponse:
    """All entries, newest first: those of the workspace with the address `?workspace=`, before `?before=`."""
    slug, before = request.GET.get("workspace", "").strip()[:LONGEST_ADDRESS], request.GET.get("before", "")
    found, problem = None, ""
    if slug:
        try:
            found = operators.workspace_at(slug)
        except NotFound as error:
            problem = error.message
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    context = {
        "page": None if problem else ledger_page(workspace=found, before=number),
        "slug": slug,
        "problem": problem,
        "nav": "ledger",
    }
    return render(request, "operator/ledger.html", context)


@operator
@require_http_methods(["GET", "HEAD", "POST"])
def mail(request: OperatorRequest) -> HttpResponse:
    """Send a mail with invented values to an address."""

    def do(values: dict[str, str]) -> str:
        mails.send_test(actor=request.operator, email=values["email"])
        return f"A mail to {values['email']} waits to be sent. If it does not arrive, read the portal's log."

    act = Act(
        title="Test the mail server",
        text=f"Mails come from {settings.DEFAULT_FROM_EMAIL}."
        if settings.SENDS_MAIL
        else "No mail server is set up: EMAIL_URL is not set, and mails are printed to the log.",
        button="Send a test mail",
        back=reverse("operator"),
        nav="overview",
        extra="operator/_previews.html",
    )
    form = MailForm(posted(request), initial={"email": request.operator.email})
    return answer(request, act, form, do)


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if timezone.is_aware(found) else None
