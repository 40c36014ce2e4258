"""Which models, qualities and providers may be used in the workspace."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from editor.access.permissions import Permission
from editor.contexts.usage_rules import rules_page
from editor.operations import usage_rules
from editor.web.decorators import MemberRequest, member


@require_http_methods(["GET", "HEAD", "POST"])
@member(Permission.WORKSPACE_MANAGE)
def page(request: MemberRequest) -> HttpResponse:
    """The rule for a role (`?role=`), or for everybody; POST replaces it. Nothing checked allows all."""
    role = request.GET.get("role", "")
    role = role if role in usage_rules.WHOSE else usage_rules.EVERYBODY
    if request.method != "POST":
        context = {"rules": rules_page(request.actor.workspace, role), "nav": "usage_rules"}
        return render(request, "settings/usage_rules.html", context)
    usage_rules.save(
        actor=request.actor,
        role=role,
        allowed_models=request.POST.getlist("allowed_models"),
        allowed_tiers=request.POST.getlist("allowed_tiers"),
        allowed_providers=request.POST.getlist("allowed_providers"),
    )
    messages.success(request, "Saved.")
    return redirect(f"{reverse('usage_rules', args=[request.actor.workspace.slug])}?role={role}")
