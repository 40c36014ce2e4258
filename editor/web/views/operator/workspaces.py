"""Workspaces for operators: find, create, credits, plan, suspend, own prices."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from editor import catalog, phrases
from editor.access import operators
from editor.contexts.operator.workspace import workspace_page
from editor.contexts.operator.workspaces import runs_out, spent_lately, workspaces_page
from editor.gateway.requests import origin
from editor.models import Workspace
from editor.operations import credits, offers, workspaces
from editor.web.decorators import OperatorRequest, operator
from editor.web.forms.operator import CreditsForm, PlanChoiceForm, PriceForm, ReasonForm, WorkspaceForm
from editor.web.htmx import is_fragment
from editor.web.views.operator.acts import Act, answer, page_number, posted

LONGEST_WORDS = 100  # characters
AMOUNTS = (250, 1_000, 5_000)  # credits to choose from
_form = require_http_methods(["GET", "HEAD", "POST"])


@operator
@require_safe
def page(request: OperatorRequest) -> HttpResponse:
    """Workspaces by name or address (`?q=`), a page at a time (`?page=`)."""
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_WORDS]
    found = workspaces_page(words=words, number=page_number(request.GET.get("page", "")))
    template = "operator/_workspaces.html" if is_fragment(request) else "operator/workspaces.html"
    return render(request, template, {"page": found, "nav": "workspaces"})


@operator
@require_safe
def one(request: OperatorRequest, workspace_id: UUID) -> HttpResponse:
    """One workspace: figures, limits, people, own prices, newest entries of its ledger."""
    context = {"page": workspace_page(operators.workspace(workspace_id)), "nav": "workspaces"}
    return render(request, "operator/workspace.html", context)


@operator
@_form
def new(request: OperatorRequest) -> HttpResponse:
    """Create a workspace for a person."""

    def do(values: dict[str, Any]) -> str:
        made = workspaces.create_for(
            actor=request.operator,
            name=values["workspace_name"],
            email=values["email"],
            plan=values["plan"],
            origin=origin(request),
        )
        return f"“{made}” was created. Its address is {made.slug}."

    act = Act("New workspace", "Create workspace", reverse("operator_workspaces"), "workspaces")
    return answer(request, act, WorkspaceForm(posted(request)), do)


@operator
@_form
def give(request: OperatorRequest, workspace_id: UUID) -> HttpResponse:
    """Give credits, or take some back. `?amount=` fills in the amount."""
    workspace = operators.workspace(workspace_id)

    def do(values: dict[str, Any]) -> str:
        entry = credits.give(
            workspace=workspace, amount=values["amount"], actor=request.operator, reason=values["reason"]
        )
        return f"{workspace} has {phrases.credits(entry.balance_after)} now."

    given = {name: request.GET[name][:200] for name in ("amount", "reason") if name in request.GET}
    form = CreditsForm(posted(request), initial=given)
    amount = _whole(form["amount"].value())
    balance = workspace.credit_account.balance
    if is_fragment(request) and "after" in request.GET:
        return render(request, "operator/_balance_after.html", {"after": balance + amount})
    spent = spent_lately(workspace)
    act = Act(
        title=f"Give credits to {workspace}",
        button="Give credits",
        back=_back(workspace),
        nav="workspaces",
        text=runs_out(balance, spent),
        extra="operator/_amounts.html",
        context={"amounts": AMOUNTS, "for_a_month": max(0, spent - balance), "after": balance + amount},
    )
    return answer(request, act, form, do)


@operator
@_form
def plan(request: OperatorRequest, workspace_id: UUID) -> HttpResponse:
    """Give the workspace another plan."""
    workspace = operators.workspace(workspace_id)

    def do(values: dict[str, Any]) -> str:
        workspaces.set_plan(actor=request.operator, workspace=workspace, plan=values["plan"])
        return f"{workspace} has the plan {values['plan']} now."

    act = Act(f"Plan of {workspace}", "Change plan", _back(workspace), "workspaces")
    return answer(request, act, PlanChoiceForm(posted(request), initial={"plan": workspace.plan_id}), do)


@operator
@_form
def suspend(request: OperatorRequest, workspace_id: UUID) -> HttpResponse:
    """Let no edit start in the workspace."""
    workspace = operators.workspace(workspace_id)

    def do(values: dict[str, Any]) -> str:
        workspaces.suspend(actor=request.operator, workspace=workspace, reason=values["reason"])
        return f"{workspace} is suspended."

    act = Act(
        title=f"Suspend {workspace}?",
        text="No edit can be started until it is resumed. Running edits go on, and its images stay. "
        "Its members read the reason.",
        button="Suspend",
        back=_back(workspace),
        nav="workspaces",
    )
    return answer(request, act, ReasonForm(posted(request)), do)


@operator
@_form
def resume(request: OperatorRequest, workspace_id: UUID) -> HttpResponse:
    """Let edits start again."""
    workspace = operators.workspace(workspace_id)

    def do(values: dict[str, Any]) -> str:
        workspaces.resume(actor=request.operator, workspace=workspace, reason=values["reason"])
        return f"{workspace} is resumed."

    act = Act(f"Resume {workspace}?", "Resume", _back(workspace), "workspaces")
    return answer(request, act, ReasonForm(posted(request)), do)


@operator
@_form
def price(request: OperatorRequest, workspace_id: UUID) -> HttpResponse:
    """Set what the workspace pays for a model."""
    workspace = operators.workspace(workspace_id)

    def do(values: dict[str, Any]) -> str:
        offers.set_price(
            actor=request.operator,
            model=values["model"],
            workspace=workspace,
            credits=values["credits"],
        )
        return f"The price of {catalog.get_model(values['model']).label} for {workspace} was saved."

    models = [(model.id, model.label) for model in catalog.catalog().models.values()]
    act = Act(f"Price for {workspace}", "Save price", _back(workspace), "workspaces")
    form = PriceForm(posted(request), models=models, initial={"model": request.GET.get("model", "")})
    return answer(request, act, form, do)


def _back(workspace: Workspace) -> str:
    return reverse("operator_workspace", args=[workspace.pk])


def _whole(value: Any) -> int:
    """What was typed, as far as it is a whole number that makes sense."""
    try:
        number = int(str(value).strip())
    except ValueError:
        return 0
    return number if abs(number) <= credits.MAXIMUM_GRANT else 0
