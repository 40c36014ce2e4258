"""The Studio: the page, its images and its options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from editor.access import lookups
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts.directions import isolated
from editor.contexts.limits import over_view
from editor.contexts.model_choice import alpha_note, model_views
from editor.contexts.rail import MORE, rail_view
from editor.contexts.studio import Studio, prompt_history, studio_page
from editor.contexts.versions import version_view
from editor.errors import EditorError, InvalidInput
from editor.media.limits import MAX_BYTES
from editor.models import Image, Workspace
from editor.operations import images, quotes
from editor.queries import pricing, usage_rules
from editor.queries import studio as studio_queries
from editor.queries.pricing import Choice
from editor.queries.usage_rules import Rules
from editor.web import choices
from editor.web.back import own_url
from editor.web.decorators import MemberRequest, member
from editor.web.forms import edit
from editor.web.forms.edit import StudioForm
from editor.web.forms.model_inputs import build_form
from editor.web.htmx import is_fragment

RAIL, FOLDED = "rail", "folded"  # a cookie and its value
_ROWS = re.compile(r"(\d{1,9})-(\d{1,9})", re.ASCII)


@require_GET
@member(Permission.VIEW)
def studio(request: MemberRequest) -> HttpResponse:
    """The empty Studio; `?prompt=` fills in the prompt."""
    return _whole_page(request, None)


@require_GET
@member(Permission.VIEW)
def version(request: MemberRequest, image_id: str) -> HttpResponse:
    """One version on the stage, compared with another by `?with=`: a page, or over htmx what changes.

    `?like=` fills in the prompt, the model, the options and the presets of an earlier edit.
    """
    current = lookups.image(request.actor, image_id)
    if not is_fragment(request):
        return _whole_page(request, current)
    page = _page(request.actor, request.GET, current=current)
    return render(request, "studio/_stage_swap.html", {"studio": page})


@require_POST
@member(Permission.EDIT)
def upload(request: MemberRequest) -> HttpResponse:
    """Upload the image to edit, or with `?as=reference` a reference image."""
    file = request.FILES.get("files")
    if file is None:
        raise InvalidInput("No file was received. Choose an image and try again.")
    if file.size is None or file.size > MAX_BYTES:
        raise InvalidInput(
            f"“{isolated(file.name or '')}” is larger than 25 MB. Make it smaller and try again."
        )
    as_reference = request.GET.get("as") == "reference"
    image = images.upload(
        actor=request.actor,
        content=file.read(),
        name=file.name or "",
        kind=Image.Kind.REFERENCE if as_reference else Image.Kind.SOURCE,
    )
    if as_reference and is_fragment(request):
        context = {
            "image": version_view(request.actor.workspace, image),
            "made_smaller": _made_smaller(image),
        }
        return render(request, "studio/_reference_added.html", context)
    return _on_stage(request, image)


@require_POST
@member(Permission.EDIT)
def sample(request: MemberRequest, name: str) -> HttpResponse:
    """Start with one of the bundled photographs."""
    image = images.find_or_add_sample(actor=request.actor, name=name)
    return _on_stage(request, image)


@require_GET
@member(Permission.VIEW)
def inputs(request: MemberRequest) -> HttpResponse:
    """The chosen model's options, with earlier values where they are still valid.

    `?models=1` includes the choice of models, after another provider was chosen.
    """
    page = _page(request.actor, request.GET, current=None)
    context = {"studio": page, "with_models": "models" in request.GET}
    return render(request, "studio/_inputs_swap.html", context)


@require_POST
@member(Permission.VIEW)
def quote(request: MemberRequest) -> HttpResponse:
    """The price of the current choice, the limit that it is over, and what it would lose of the image."""
    workspace, rules = request.actor.workspace, usage_rules.of(request.actor)
    form = edit.read(request.POST, workspace=workspace, rules=rules)
    price = pricing.quote(actor=request.actor, choice=form.choice, inputs=form.inputs)
    quoted = quotes.create(actor=request.actor, choice=form.choice, inputs=form.inputs)
    note = alpha_note(
        image=_source(request.actor, form),
        choice=form.choice,
        inputs=form.inputs,
        match_format=form.match_format,
        models=lambda: model_views(
            pricing.offer(workspace=workspace, provider=form.choice.provider, rules=rules), form.choice
        ),
    )
    over = over_view(
        request.actor,
        price,
        offer=lambda: pricing.offer(workspace=workspace, provider=form.choice.provider, rules=rules),
        images=len(form.image_ids),
    )
    context = {"quote": price, "quote_id": quoted.pk, "over": over, "alpha_note": note}
    return render(request, "studio/_quote.html", context)


@require_GET
@member(Permission.VIEW)
def rail(request: MemberRequest) -> HttpResponse:
    """The versions of the image that the viewer looks at: `?at=`, compared by `?with=`.

    `?shown=` is the current one in the viewer's list; it differs from `at` after a result took the stage.
    `?rows=30-60` returns only these rows of the list, and `side` where the rest follows: before or after.
    """
    at = request.GET.get("at", "")
    current = lookups.image(request.actor, at) if at else None
    if current and "rows" in request.GET:
        return _more_rows(request, current)
    page = _page(request.actor, request.GET, current=current)
    response = render(request, "studio/_rail_swap.html", {"studio": page})
    if page.stage and request.GET.get("shown") != at and _path(request) != page.stage.current.url:
        # A result took the stage: Back shows the image that was there before.
        response["HX-Push-Url"] = page.stage.url
    return response


@require_POST
@member(Permission.VIEW)
def fold_rail(request: MemberRequest) -> HttpResponse:
    """Fold the versions to a narrow column, or with an empty `folded` unfold them; remembered in a cookie."""
    folded = bool(request.POST.get("folded"))
    if is_fragment(request):
        response = render(request, "studio/_rail_head.html", {"folded": folded})
    else:
        back = own_url(request, request.headers.get("Referer", ""))
        response = redirect(back or reverse("studio", args=[request.actor.workspace.slug]))
    choices.remember(request, response, RAIL, FOLDED if folded else "")
    return response


def _path(request: MemberRequest) -> str:
    """The path of the page in the browser's address bar."""
    return urlsplit(request.headers.get("HX-Current-URL", "")).path


def _more_rows(request: MemberRequest, current: Image) -> HttpResponse:
    rows = _ROWS.fullmatch(request.GET["rows"])
    start, end = map(int, rows.groups()) if rows else (0, -1)
    if not 0 <= end - start <= MORE:
        raise InvalidInput("There are no such rows.")
    tree = studio_queries.edit_tree(current)
    side = request.GET.get("side")
    context = {
        "rail": rail_view(request.actor.workspace, tree, current, start=start, end=end),
        "stage": {"current": current},
        "only_before": side == "before",
        "only_after": side == "after",
    }
    return render(request, "studio/_rail_rows.html", context)


def _whole_page(request: MemberRequest, current: Image | None) -> HttpResponse:
    like = request.GET.get("like")
    data = edit.of_job(lookups.job(request.actor, like)) if like else request.GET
    context = {
        "studio": _page(request.actor, data, current=current, with_quote=True),
        "history": prompt_history(request.actor),
        "rail_folded": request.COOKIES.get(RAIL) == FOLDED,
        "nav": "studio",
    }
    return render(request, "studio/studio.html", context)


def _on_stage(request: MemberRequest, image: Image) -> HttpResponse:
    """The new image: over htmx the parts that change, else a redirect to its page."""
    made_smaller = _made_smaller(image)
    if not is_fragment(request):
        if made_smaller:
            messages.info(request, made_smaller)
        return redirect("studio_version", request.actor.workspace.slug, image.id)
    context = {
        "studio": _page(request.actor, request.POST, current=image),
        "announce": " ".join(filter(None, ("Image added.", made_smaller, "Describe what should change."))),
        "made_smaller": made_smaller,
    }
    response = render(request, "studio/_stage_swap.html", context)
    response["HX-Push-Url"] = reverse("studio_version", args=[request.actor.workspace.slug, image.id])
    return response


def _made_smaller(image: Image) -> str:
    """What a person should know about the size of a new image; usually nothing."""
    if image.original_size is None:
        return ""
    width, height = image.original_size
    now = f"{image.width} × {image.height}"
    return f"Made smaller: your file has {width} × {height} pixels, the image here {now}."


def _source(actor: Actor, form: StudioForm) -> Image | None:
    """The image that is edited; None also if it has just been moved to the trash."""
    with suppress(EditorError):
        return lookups.image(actor, form.image_ids[0]) if form.image_ids else None
    return None


def _read(data: QueryDict, workspace: Workspace, rules: Rules) -> StudioForm:
    """The form; if it is inconsistent, the provider's default model, or the portal's."""
    of_provider = QueryDict(mutable=True)
    of_provider["provider"] = data.get("provider", "")
    for fields in (data, of_provider):
        with suppress(EditorError):
            return edit.read(fields, workspace=workspace, rules=rules)
    return edit.read(QueryDict(), workspace=workspace, rules=rules)


def _quote_id(actor: Actor, choice: Choice, inputs: Mapping[str, str]) -> str:
    return str(quotes.create(actor=actor, choice=choice, inputs=inputs).pk)


def _page(actor: Actor, data: QueryDict, *, current: Image | None, with_quote: bool = False) -> Studio:
    """The page around `current`, with the form's values; invalid ones fall back to defaults.

    with_quote  with a quote for the price that it shows
    """
    rules = usage_rules.of(actor)
    form = _read(data, actor.workspace, rules)
    try:
        price = pricing.quote(actor=actor, choice=form.choice, inputs=form.inputs)
        shown = form.inputs
    except InvalidInput as error:
        shown = {name: value for name, value in form.inputs.items() if name not in error.fields}
        price = pricing.quote(actor=actor, choice=form.choice, inputs=shown)
    return studio_page(
        actor=actor,
        current=current,
        compared_id=data.get("with", ""),
        choice=form.choice,
        rules=rules,
        quote=price,
        quote_id=_quote_id(actor, form.choice, shown) if with_quote else "",
        inputs=shown,
        match_format=form.match_format,
        form=build_form(form.choice.model, initial=dict(shown)),
        style_id=form.style_id,
        character_id=form.character_id,
        prompt=form.prompt,
    )
