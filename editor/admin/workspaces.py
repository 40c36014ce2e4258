"""Workspaces and their members in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from editor import models
from editor.admin.audited import Audited
from editor.admin.people import MembershipInline
from editor.errors import Conflict
from editor.operations import deletions, members, workspaces


@admin.register(models.Workspace)
class WorkspaceAdmin(Audited):
    noun = "workspace"
    list_display = ("name", "slug", "plan", "created_at", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter),)
    fields = ("name", "slug", "plan", "deleted_at", "deleted_by")  # its owners set the others
    readonly_fields = ("deleted_at", "deleted_by")
    actions = ("restore",)
    search_fields = ("name", "slug")
    list_select_related = ("plan",)
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        workspaces.save(workspace=obj)

    @admin.action(description="Restore selected deleted workspaces", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[models.Workspace]) -> None:
        assert isinstance(request.user, models.User)
        for workspace in queryset:
            try:
                deletions.restore(workspace=workspace, actor=request.user)
            except Conflict as error:
                self.message_user(request, error.message, messages.ERROR)
            else:
                self.message_user(request, f"“{workspace}” was restored.", messages.SUCCESS)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        assert isinstance(request.user, models.User)
        formset.save(commit=False)
        saved = [*(membership for membership, _ in formset.changed_objects), *formset.new_objects]
        # New owners first, so that the old ones can be removed.
        for membership in sorted(saved, key=lambda row: row.role != models.Role.OWNER):
            members.save(membership=membership, actor=request.user)
        for membership in formset.deleted_objects:
            members.end(membership=membership, actor=request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # its jobs and ledger must stay
