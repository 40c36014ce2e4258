"""A person's workspaces: their list, new ones, and deleted ones that can be restored."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from editor.access import lookups
from editor.contexts.workspaces import workspaces_page
from editor.errors import EditorError, PermissionDenied
from editor.models import User
from editor.operations import deletions, workspaces
from editor.web.forms.general import WorkspaceForm


@require_GET
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The person's workspaces, and those deleted ones that they can restore."""
    assert isinstance(request.user, User)
    return render(request, "workspace/workspaces.html", {"page": workspaces_page(request.user)})


@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Create a workspace, if the setting WORKSPACE_CREATION allows it."""
    assert isinstance(request.user, User)
    if not workspaces.may_create(request.user):
        raise PermissionDenied("Only an operator of this portal can create workspaces.")
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = workspaces.create_own(user=request.user, name=form.cleaned_data["workspace_name"])
        except EditorError as error:
            form.add_error("workspace_name", error.message)
        else:
            return redirect("setup", made.slug)
    return render(request, "workspace/new.html", {"form": form}, status=400 if form.errors else 200)


@require_POST
@login_required
def restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Restore a deleted workspace of one's own."""
    assert isinstance(request.user, User)
    owner = lookups.owner_of_deleted(request.user, slug)
    deletions.restore(workspace=owner.workspace, actor=owner)
    messages.success(request, f"“{owner.workspace}” was restored.")
    return redirect("general", owner.workspace.slug)
