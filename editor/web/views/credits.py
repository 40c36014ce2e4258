"""Credits & usage: balance, what was spent, the ledger and its proof."""

from __future__ import annotations

from functools import partial
from time import monotonic
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from editor.access import lookups
from editor.access.permissions import Permission
from editor.contexts import credits as contexts
from editor.contexts import ledger, ledger_csv
from editor.contexts.transfers import transfer_view
from editor.contexts.usage_chart import Chart, chart, csv_lines
from editor.contexts.workspace_limits import limit_rows
from editor.gateway import csv_file
from editor.operations import exports, ledger_checks, workspace_settings
from editor.queries import proof as proofs
from editor.queries.credits import newest_check
from editor.queries.ledger import newest_id
from editor.web.decorators import MemberRequest, member
from editor.web.forms import usage as form
from editor.web.forms.transfers import TransferForm
from editor.web.htmx import is_fragment


@require_GET
@member(Permission.VIEW)
def page(request: MemberRequest) -> HttpResponse:
    """The page; over htmx its chart or its ledger, as the target says."""
    if not is_fragment(request):
        return render(request, "credits/credits.html", _whole(request))
    if request.headers.get("HX-Target", "").endswith("#usage"):
        context = {"chart": _chart(request), "workspace": request.actor.workspace}
        response = render(request, "credits/_chart.html", context)
        response["HX-Push-Url"] = _url(request)
        return response
    context = {"ledger": _lines(request), "workspace": request.actor.workspace}
    response = render(request, "credits/_ledger_swap.html", context)
    response["HX-Push-Url" if form.before(request.GET) else "HX-Replace-Url"] = _url(request)
    return response


@require_GET
@member(Permission.VIEW)
def live(request: MemberRequest) -> HttpResponse:
    """What changes by itself in the page as it is shown."""
    return render(
        request,
        "credits/_live.html",
        {
            "tiles": contexts.tiles(request.actor),
            "ledger": _lines(request),
            "limits": limit_rows(request.actor),
        },
    )


@require_GET
@member(Permission.VIEW)
def download(request: MemberRequest) -> HttpResponseBase:
    """All entries of the lines that match the filter, as CSV. Raises LimitExceeded."""
    actor = request.actor
    fields = form.ledger_fields(request.GET, actor)
    needed = Permission.USAGE_VIEW if actor.may(Permission.USAGE_VIEW) else Permission.VIEW
    rows = partial(ledger_csv.rows, form.filter(fields, actor), newest=newest_id(actor.workspace))
    response = csv_file.response(
        columns=ledger_csv.COLUMNS,
        batch=lambda before: rows(before=before),
        name=f"{actor.workspace.slug}-ledger",
        user_id=actor.user.pk,
        tenant=str(actor.workspace.pk),
        check=partial(lookups.check_again, actor, needed, session_key=request.session.session_key),
    )
    exports.ledger(actor=actor, filter=fields)
    return response


@require_GET
@member(Permission.VIEW)
def usage_download(request: MemberRequest) -> HttpResponse:
    """What the chart shows, with all its groups, as CSV."""
    actor = request.actor
    selection = form.selection(form.chart_fields(request.GET, actor), actor)
    name = f"{actor.workspace.slug}-usage-{selection.month:%Y-%m}"
    return HttpResponse(
        csv_file.encoded(csv_lines(actor, selection)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


@require_POST
@member(Permission.USAGE_VIEW)
def proof(request: MemberRequest) -> HttpResponse:
    """Check the next entries of the ledger; the response says how to go on until all are checked."""
    actor = request.actor
    begun = contexts.read_proof(request.POST.get("token", ""), actor)
    progress, milliseconds = begun or (proofs.begin(actor.workspace), 0)
    started = monotonic()
    progress = proofs.step(progress)
    milliseconds += round(1000 * (monotonic() - started))
    if progress.done:
        ledger_checks.save(actor=actor, result=progress, milliseconds=milliseconds)
        shown = contexts.proof(newest_check(actor.workspace))
    else:
        shown = contexts.proof_under_way(progress, milliseconds=milliseconds)
    if is_fragment(request):
        return render(request, "credits/_proof.html", {"proof": shown, "fresh": True})
    if progress.done:
        return redirect(f"{reverse('credits', args=[actor.workspace.slug])}#proof")
    return render(request, "credits/credits.html", _whole(request) | {"proof": shown})


@require_POST
@member(Permission.WORKSPACE_MANAGE)
def report(request: MemberRequest) -> HttpResponse:
    """Whether owners get the monthly report."""
    workspace_settings.send_usage_mail(actor=request.actor, send=request.POST.get("send") == "on")
    messages.success(request, "Saved.")
    return redirect("credits", request.actor.workspace.slug)


def _whole(request: MemberRequest) -> dict[str, object]:
    actor = request.actor
    return {
        "tiles": contexts.tiles(actor),
        "chart": _chart(request),
        "ledger": _lines(request),
        "filter": ledger.controls(actor, form.ledger_fields(request.GET, actor)),
        "proof": contexts.proof(newest_check(actor.workspace)),
        "limits": limit_rows(actor),
        "transfer": transfer_view(actor),
        "transfer_form": TransferForm(),
        "nav": "credits",
    }


def _chart(request: MemberRequest) -> Chart:
    fields = form.chart_fields(request.GET, request.actor)
    url = reverse("usage_csv", args=[request.actor.workspace.slug])
    csv_url = f"{url}?{urlencode(fields)}" if fields else url
    return chart(request.actor, form.selection(fields, request.actor), csv_url=csv_url)


def _lines(request: MemberRequest) -> ledger.Lines:
    actor, before = request.actor, form.before(request.GET)
    fields = form.ledger_fields(request.GET, actor)
    shared = form.chart_fields(request.GET, actor)
    return ledger.lines(form.filter(fields, actor), fields=fields, shared=shared, before=before)


def _url(request: MemberRequest) -> str:
    """The page with what is shown now."""
    actor, before = request.actor, request.GET.get("before") or ""
    fields = form.chart_fields(request.GET, actor) | form.ledger_fields(request.GET, actor)
    fields |= {"before": before} if form.before(request.GET) else {}
    url = reverse("credits", args=[request.actor.workspace.slug])
    return f"{url}?{urlencode(fields)}" if fields else url
