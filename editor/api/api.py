"""The public API: its routers and error handlers.

Source: all of Flokan's Image Editor API. Anything beyond it is marked as an addition.
"""

from __future__ import annotations

import logging

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from editor import retry_after
from editor.api import edits, jobs, lists, team, usage
from editor.api.envelope import problem
from editor.api.parser import StrictParser
from editor.errors import EditorError, InvalidInput

log = logging.getLogger("editor.api")

api = NinjaAPI(
    title="Image Editor API",
    version="1.0.0",
    description="Prompt-based image generation and editing.",
    urls_namespace="api",
    docs_url=None,
    openapi_url=None,  # see document.py
    parser=StrictParser(),
)
for part in (edits, jobs, lists, team, usage):
    api.add_router("", part.router)


@api.exception_handler(EditorError)
def _editor_error(request: HttpRequest, error: EditorError) -> HttpResponse:
    response = api.create_response(request, problem(error), status=error.status)
    for name, value in retry_after.headers(error).items():
        response[name] = value
    return response


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # Ninja raises this only for a body that the parser rejects.
    message = "The request body is not a JSON object, or contains text that cannot be stored."
    return api.create_response(request, problem(InvalidInput(message)), status=error.status_code)


@api.exception_handler(ValidationError)
def _validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields: dict[str, str] = {}
    whole: list[str] = []
    for item in error.errors:
        message = item["msg"].removeprefix("Value error, ")
        # `loc` is the source, for the body also the name of our parameter, then the field.
        where = item["loc"][2 if item["loc"][0] == "body" else 1 :]
        if where:
            fields.setdefault(".".join(str(part) for part in where), message)
        else:
            whole.append(message)
    message = "; ".join([*whole, *(f"{name}: {what}" for name, what in fields.items())][:5])
    return api.create_response(request, problem(InvalidInput(message, fields=fields)), status=400)


@api.exception_handler(DataError)
def _data_error(request: HttpRequest, error: DataError) -> HttpResponse:
    """A value that fits its type but not the database, such as NUL in a URL's parameter."""
    log.warning("%s %s was refused: %.200r", request.method, request.path, error)
    return api.create_response(
        request, problem(InvalidInput("The request contains an invalid value.")), status=400
    )
