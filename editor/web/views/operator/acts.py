"""What operators do: a form in a dialog, or without script on a page of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from editor.errors import EditorError
from editor.web.decorators import OperatorRequest
from editor.web.forms.operator import OperatorForm
from editor.web.htmx import is_fragment


@dataclass(frozen=True, slots=True)
class Act:
    """title, text  what is asked; button: its answer; back: the page that shows the outcome

    nav    whose entry of the navigation is marked
    extra  template of what stands between the text and the fields, with its `context`
    """

    title: str
    button: str
    back: str
    nav: str
    text: str = ""
    extra: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


def answer(
    request: OperatorRequest, act: Act, form: OperatorForm, do: Callable[[dict[str, Any]], str]
) -> HttpResponse:
    """Show the form; with POST, `do` what its values say, which returns what to tell the operator."""
    if request.method == "POST" and form.is_valid():
        try:
            message = do(form.cleaned_data)
        except EditorError as error:
            form.refuse(error)
        else:
            return done(request, message, act.back)
    context = {"act": act, "form": form, "in_dialog": is_fragment(request), "nav": act.nav}
    if is_fragment(request):
        return render(request, "operator/_act.html", context)
    return render(request, "operator/act.html", context, status=400 if form.errors else 200)


def done(request: OperatorRequest, message: str, back: str) -> HttpResponse:
    messages.success(request, message)
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": back})
    return redirect(back)


def posted(request: OperatorRequest) -> Any:
    """The data of a form: None until it is sent."""
    return request.POST if request.method == "POST" else None


def page_number(text: str) -> int:
    """A page's number in a URL; 1 for anything that is none."""
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else 1
