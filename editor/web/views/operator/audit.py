"""The audit log over all workspaces and the portal itself."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from editor.access import operators, sessions
from editor.contexts.audit import controls, entries
from editor.errors import NotAuthenticated, NotFound
from editor.gateway import audit_csv
from editor.gateway import audit_filter as form
from editor.models import User
from editor.operations import exports
from editor.queries.audit import Filter
from editor.web.decorators import OperatorRequest, operator
from editor.web.htmx import is_fragment


@operator
@require_GET
def page(request: OperatorRequest) -> HttpResponse:
    """The entries that match; over htmx with `?older=` the next ones."""
    filter, fields = _read(request.GET)
    after = form.read_position(request.GET)
    found = entries(
        filter,
        fields=fields,
        after=after,
        url=reverse("operator_audit"),
        csv_url=reverse("operator_audit_csv"),
    )
    if is_fragment(request) and after:
        return render(request, "operator/_audit_rows.html", {"entries": found})
    context = {"entries": found, "filter": controls(fields, workspace=None), "nav": "audit"}
    return render(request, "operator/audit.html", context)


@operator
@require_GET
def download(request: OperatorRequest) -> HttpResponseBase:
    """All entries that match, as CSV. Raises LimitExceeded."""
    filter, fields = _read(request.GET)
    check = partial(_check_again, request)
    response = audit_csv.response(filter, user_id=request.operator.pk, name="portal", check=check)
    exports.whole_audit_log(actor=request.operator, filter=fields)
    return response


def _check_again(request: HttpRequest) -> None:
    """Raise unless the session that the request began with is still one of an operator."""
    user = sessions.person(request.session.session_key)
    if not isinstance(user, User) or not operators.is_operator(user):
        raise NotAuthenticated("You are signed out. Sign in again to continue.")


def _read(data: QueryDict) -> tuple[Filter, dict[str, str]]:
    """The filter, in which an operator can also name a workspace by its address."""
    slug = data.get("workspace", "").replace("\0", "").strip()[: form.LONGEST_TEXT]
    fields = form.fields(data) | ({"workspace": slug} if slug else {})
    if not slug:
        return form.read(fields, workspace=None), fields
    try:
        return form.read(fields, workspace=operators.workspace_at(slug)), fields
    except NotFound:
        return Filter(workspace=None, people=()), fields
