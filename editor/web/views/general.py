"""The General page of a workspace's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from editor.access.permissions import Permission
from editor.contexts.general import deletion_page, general_page
from editor.errors import Conflict, EditorError, InvalidInput, NotFound
from editor.gateway.requests import origin
from editor.media import links
from editor.media.limits import MAX_BYTES
from editor.operations import addresses, deletions, workspace_settings
from editor.web.decorators import MemberRequest, member
from editor.web.downloads import file_response
from editor.web.forms.general import AddressForm, DefaultsForm, DeleteForm, LimitsForm, NameForm

A_DAY = 24 * 3600  # seconds


@require_safe
@member(Permission.VIEW)
def page(request: MemberRequest) -> HttpResponse:
    """What every member sees, and forms for what they may change."""
    return _page(request)


@require_POST
@member(Permission.WORKSPACE_MANAGE)
def rename(request: MemberRequest) -> HttpResponse:
    """Change the name."""
    return _save(request, "name_form", NameForm(request.POST), workspace_settings.rename)


@require_POST
@member(Permission.WORKSPACE_MANAGE)
def address(request: MemberRequest) -> HttpResponse:
    """Change the address. The page continues at the new one."""
    return _save(request, "address_form", AddressForm(request.POST), addresses.change)


@require_POST
@member(Permission.WORKSPACE_MANAGE)
def defaults(request: MemberRequest) -> HttpResponse:
    """Change what holds for everyone."""
    return _save(request, "defaults_form", DefaultsForm(request.POST), workspace_settings.set_defaults)


@require_POST
@member(Permission.WORKSPACE_MANAGE)
def limits(request: MemberRequest) -> HttpResponse:
    """Change what everybody together can spend."""
    return _save(request, "limits_form", LimitsForm(request.POST), workspace_settings.set_limits)


@require_POST
@member(Permission.WORKSPACE_OWN)
def security(request: MemberRequest) -> HttpResponse:
    """Whether members need a second factor: `required` is sent or not."""
    required = "required" in request.POST
    try:
        workspace_settings.require_second_factor(actor=request.actor, required=required)
    except Conflict as error:
        return _page(request, security_problem=error.message, status=error.status)
    return _done(request, "Saved.")


@require_POST
@member(Permission.WORKSPACE_MANAGE)
def save_picture(request: MemberRequest) -> HttpResponse:
    """Replace the picture by `picture`, or remove it if `remove` is sent."""
    if "remove" in request.POST:
        workspace_settings.remove_picture(actor=request.actor)
        return _done(request, "Picture removed.")
    try:
        file = request.FILES.get("picture")
        if file is None:
            raise InvalidInput("Choose an image first.")
        if file.size is None or file.size > MAX_BYTES:
            raise InvalidInput("This file is larger than 25 MB. Make it smaller and try again.")
        workspace_settings.set_picture(actor=request.actor, content=file.read())
    except EditorError as error:
        return _page(request, picture_problem=error.message, status=error.status)
    return _done(request, "Picture saved.")


@require_safe
@member(Permission.VIEW)
def picture(request: MemberRequest) -> HttpResponseBase:
    """The workspace's picture, for its members."""
    workspace = request.actor.workspace
    if not workspace.picture_name:
        raise NotFound("This workspace has no picture.")
    headers = links.response_headers("image/webp", A_DAY)
    return file_response(request, workspace.picture_name, workspace_id=workspace.pk, headers=headers)


@require_http_methods(["GET", "POST"])
@member(Permission.WORKSPACE_OWN)
def delete(request: MemberRequest) -> HttpResponse:
    """What would be lost, and the deletion once the name is entered."""
    form = DeleteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            deletions.delete(actor=request.actor, name=form.cleaned_data["name"])
        except InvalidInput as error:
            _show(form, error)
        else:
            messages.success(request, f"“{request.actor.workspace}” was deleted.")
            return redirect("workspaces")
    context = {"deletion": deletion_page(request.actor), "form": form, "nav": "general"}
    return render(request, "settings/delete.html", context, status=400 if form.errors else 200)


def _save(request: MemberRequest, name: str, form: Form, operation: Callable[..., None]) -> HttpResponse:
    """Save a valid form and reload; otherwise the page with the errors at their fields.

    name  of the form in the template
    """
    if form.is_valid():
        try:
            operation(actor=request.actor, **form.cleaned_data)
        except InvalidInput as error:
            _show(form, error)
        else:
            return _done(request, "Saved.")
    return _page(request, status=400, forms={name: form})


def _show(form: Form, error: InvalidInput) -> None:
    for field, problem in (error.fields or {"": error.message}).items():
        form.add_error(field if field in form.fields else None, problem)


def _done(request: MemberRequest, message: str) -> HttpResponse:
    messages.success(request, message)
    return redirect("general", request.actor.workspace.slug)


def _page(
    request: MemberRequest,
    *,
    status: int = 200,
    picture_problem: str = "",
    security_problem: str = "",
    forms: Mapping[str, Form] | None = None,
) -> HttpResponse:
    shown = general_page(request.actor)
    context = {
        "general": shown,
        "picture_problem": picture_problem,
        "security_problem": security_problem,
        "base": f"{origin(request)}/w/",
        "nav": "general",
        "name_form": NameForm(initial={"name": shown.name}),
        "address_form": AddressForm(initial={"address": shown.address}),
        "defaults_form": DefaultsForm(
            initial={"default_model": shown.default_model, "trash_days": shown.trash_days}
        ),
        "limits_form": LimitsForm(initial=shown.limits),
        **(forms or {}),
    }
    return render(request, "settings/general.html", context, status=status)
