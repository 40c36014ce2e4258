"""The audit log of a workspace."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.audit import controls, entries, page_url
from editor.gateway import audit_csv
from editor.gateway import audit_filter as form
from editor.operations import exports
from editor.web.decorators import MemberRequest, member
from editor.web.htmx import is_fragment


@require_GET
@member(Permission.AUDIT_VIEW)
def page(request: MemberRequest) -> HttpResponse:
    """The page; over htmx the entries of another filter, or with `?older=` the next ones."""
    workspace, fields = request.actor.workspace, form.fields(request.GET)
    after = form.read_position(request.GET)
    found = entries(
        form.read(fields, workspace=workspace),
        fields=fields,
        after=after,
        url=reverse("audit", args=[workspace.slug]),
        csv_url=reverse("audit_csv", args=[workspace.slug]),
    )
    if is_fragment(request) and after:
        return render(request, "settings/_audit_rows.html", {"entries": found})
    if is_fragment(request):
        response = render(request, "settings/_audit_swap.html", {"entries": found, "workspace": workspace})
        response["HX-Replace-Url"] = page_url(workspace, fields)
        return response
    context = {"entries": found, "filter": controls(fields, workspace=workspace), "nav": "audit"}
    return render(request, "settings/audit.html", context)


@require_GET
@member(Permission.AUDIT_VIEW)
def download(request: MemberRequest) -> HttpResponseBase:
    """All entries that match the filter, as CSV. Raises LimitExceeded."""
    actor, fields = request.actor, form.fields(request.GET)
    filter = form.read(fields, workspace=actor.workspace)
    key = request.session.session_key
    check = partial(lookups.check_again, actor, Permission.AUDIT_VIEW, session_key=key)
    response = audit_csv.response(filter, user_id=actor.user.pk, name=actor.workspace.slug, check=check)
    exports.audit_log(actor=actor, filter=fields)
    return response
