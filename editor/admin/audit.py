"""The audit log over all workspaces, for operators."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse

from editor import models
from editor.admin import operators
from editor.admin.read_only import ReadOnly
from editor.contexts.audit import controls, entries
from editor.gateway import audit_csv
from editor.gateway import audit_filter as form
from editor.operations import exports
from editor.queries.audit import Filter


@admin.register(models.AuditEntry)
class AuditEntryAdmin(ReadOnly):
    """The list is that of a workspace's page: the admin's own counts all entries, and skips to pages."""

    def get_urls(self) -> list[Any]:
        url = path("csv/", self.admin_site.admin_view(self.download), name="editor_auditentry_csv")
        return [url, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._require(request)
        filter, fields = _read(request.GET)
        found = entries(
            filter,
            fields=fields,
            after=form.read_position(request.GET),
            url=reverse("admin:editor_auditentry_changelist"),
            csv_url=reverse("admin:editor_auditentry_csv"),
        )
        context = {
            **self.admin_site.each_context(request),
            "title": "Audit log",
            "entries": found,
            "filter": controls(fields, workspace=None),
        }
        return render(request, "admin/editor/auditentry/list.html", context)

    def download(self, request: HttpRequest) -> HttpResponseBase:
        self._require(request)
        assert isinstance(request.user, models.User)
        filter, fields = _read(request.GET)
        check = partial(operators.check_again, request)
        response = audit_csv.response(filter, user_id=request.user.pk, name="portal", check=check)
        exports.whole_audit_log(actor=request.user, filter=fields)
        return response

    def _require(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def _read(data: QueryDict) -> tuple[Filter, dict[str, str]]:
    """The filter, in which an operator can also name a workspace by its address."""
    slug = data.get("workspace", "").replace("\0", "").strip()[: form.LONGEST_TEXT]
    fields = form.fields(data) | ({"workspace": slug} if slug else {})
    workspace = models.Workspace.objects.filter(slug=slug).first() if slug else None
    if slug and workspace is None:
        return Filter(workspace=None, people=()), fields
    return form.read(fields, workspace=workspace), fields
