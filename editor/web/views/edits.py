"""Run and Cancel."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts.studio import new_idempotency_key, prompt_history
from editor.operations import jobs
from editor.queries import usage_rules
from editor.web.decorators import MemberRequest, member
from editor.web.forms import edit
from editor.web.htmx import is_fragment


@require_POST
@member(Permission.EDIT)
def run(request: MemberRequest) -> HttpResponse:
    """Start an edit. A repeated submit, also after a lost response, is one edit: the form carries a key."""
    rules = usage_rules.of(request.actor)
    form = edit.read(request.POST, workspace=request.actor.workspace, rules=rules)
    job = jobs.submit(actor=request.actor, request=form.as_edit(mask=edit.read_mask(request)))
    if not is_fragment(request):
        if job.parent_id:
            return redirect("studio_version", request.actor.workspace.slug, job.parent_id)
        return redirect("studio", request.actor.workspace.slug)
    return run_accepted(request)


def run_accepted(request: MemberRequest) -> HttpResponse:
    """The response to Run over htmx."""
    context = {"idempotency_key": new_idempotency_key(), "history": prompt_history(request.actor)}
    return render(request, "studio/_run_ok.html", context, status=202)


@require_POST
@member(Permission.EDIT)
def cancel(request: MemberRequest, job_id: str) -> HttpResponse:
    """Cancel an edit; the sockets report when it has stopped and the credits are refunded."""
    job = lookups.job(request.actor, job_id)
    jobs.cancel(actor=request.actor, job=job)
    if not is_fragment(request):
        return redirect("studio", request.actor.workspace.slug)
    return HttpResponse(status=204)
