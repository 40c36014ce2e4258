"""Plans for operators."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from editor.access import operators
from editor.models import Plan
from editor.operations import plans
from editor.queries.operator import workspaces
from editor.web.decorators import OperatorRequest, operator
from editor.web.forms.operator import PlanForm
from editor.web.views.operator.acts import Act, answer, posted


@operator
@require_safe
def page(request: OperatorRequest) -> HttpResponse:
    """All plans, the default one first."""
    return render(request, "operator/plans.html", {"plans": workspaces.plans(), "nav": "plans"})


@operator
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: OperatorRequest) -> HttpResponse:
    return _form(request, Plan(), "New plan", "Create plan")


@operator
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: OperatorRequest, plan_id: int) -> HttpResponse:
    plan = operators.plan(plan_id)
    return _form(request, plan, f"Plan {plan}", "Save plan")


def _form(request: OperatorRequest, plan: Plan, title: str, button: str) -> HttpResponse:
    def do(values: dict[str, Any]) -> str:
        saved = plans.change(actor=request.operator, plan=plan, values=values)
        return f"Plan {saved} saved."

    act = Act(title, button, reverse("operator_plans"), "plans")
    return answer(request, act, PlanForm(posted(request), instance=plan), do)
