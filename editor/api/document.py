"""The OpenAPI 3.1 document, generated from the operations and their schemas."""

from __future__ import annotations

import hashlib
import json
from functools import cache, lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from editor.api.api import api
from editor.api.authentication import Needs
from editor.api.examples import ANSWERS, ERRORS, REQUESTS
from editor.api.profile import PATH
from editor.gateway.requests import origin
from editor.operations.idempotency import LONGEST_KEY

FRESH_SECONDS = 300
HOSTS = 8  # host names for which the document is cached

HEADERS = {
    "X-RateLimit-Limit": ("integer", "Requests per minute that the workspace's plan allows."),
    "X-RateLimit-Remaining": ("integer", "Requests left."),
    "X-RateLimit-Reset": ("integer", "When the oldest request stops counting, in Unix seconds."),
    "Retry-After": ("integer", "Seconds to wait before the next request."),
    "Location": ("string", "URL of the job."),
    "Idempotency-Replayed": (
        "string",
        "`true` if this is the response of an earlier call with the same key.",
    ),
    "WWW-Authenticate": ("string", "`Bearer`."),
}
_ON_EVERY_ANSWER = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_ON_ANSWERS = {
    ("process", 201): ("Idempotency-Replayed",),
    ("process", 202): ("Location", "Retry-After", "Idempotency-Replayed"),
}
_ON_ERRORS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
_SUCCESSES = {200: "The response.", 201: "Done.", 202: "Accepted: the job is still running."}

# Request headers of an operation: name, schema, description.
_TAKES: dict[str, list[tuple[str, dict[str, Any], str]]] = {
    "process": [
        (
            "Idempotency-Key",
            {"type": "string", "maxLength": LONGEST_KEY, "pattern": "^[ -~]*$"},
            "A key of your own for this edit, at most 80 characters. For 24 hours you can repeat the same "
            "call with the same key: it is one job and is charged once.",
        ),
        (
            "Prefer",
            {"type": "string"},
            "`respond-async`: the same as `async`.",
        ),
    ],
    "job_events": [
        (
            "Last-Event-ID",
            {"type": "string"},
            "The `id` of the last event you received: only later ones are sent.",
        ),
    ],
}


class Document(OpenAPISchema):
    """Ninja's document plus scopes, headers, examples and the meanings of errors."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        details: dict[str, Any] = super().operation_details(operation)
        name = details["operationId"]
        details["parameters"] += [
            {"in": "header", "name": header, "schema": schema, "required": False, "description": message}
            for header, schema, message in _TAKES.get(name, [])
        ]
        if body := details.get("requestBody"):
            body["content"]["application/json"]["examples"] = {
                title: {"summary": title, "value": value} for title, value in REQUESTS[name].items()
            }
        details["responses"] = {
            str(status): _response(name, status, answer)
            for status, answer in sorted(details["responses"].items())
        }
        return details

    def operation_security(self, operation: Operation) -> list[dict[str, Any]]:
        """The API key scope that the operation needs."""
        security = []
        for needs in operation.auth_callbacks:
            assert isinstance(needs, Needs)
            self.securitySchemes["ApiKey"] = needs.openapi_security_schema
            security.append({"ApiKey": [needs.scope]})
        return security

    def get_components(self) -> dict[str, Any]:
        headers = {
            name: {"description": message, "schema": {"type": kind}}
            for name, (kind, message) in HEADERS.items()
        }
        return {**super().get_components(), "headers": headers}


def _response(name: str, status: int, answer: dict[str, Any]) -> dict[str, Any]:
    """A response with its description, headers and example."""
    if status in ERRORS:
        message, example = ERRORS[status]
        example = {"success": False, **example}
        more: tuple[str, ...] = _ON_ERRORS.get(status, ())
    else:
        message, example = _SUCCESSES[status], ANSWERS[name][status]
        more = _ON_ANSWERS.get((name, status), ())
    [media] = answer["content"].values()
    media["example"] = example
    return {
        "description": message,
        "headers": {
            header: {"$ref": f"#/components/headers/{header}"} for header in (*_ON_EVERY_ANSWER, *more)
        },
        "content": answer["content"],
    }


@cache
def _generated() -> dict[str, Any]:
    return dict(Document(api, path_prefix=""))


def document(request: HttpRequest) -> dict[str, Any]:
    """The document, with the request's host as the server. It is shared: do not change it."""
    return _document(origin(request))


def _document(base_url: str) -> dict[str, Any]:
    server = {"url": f"{base_url}{PATH.rstrip('/')}", "description": "This portal"}
    return _generated() | {"servers": [server]}


@lru_cache(maxsize=HOSTS)
def _encoded(base_url: str) -> bytes:
    return json.dumps(_document(base_url)).encode()


def _etag(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(_encoded(origin(request))).hexdigest()[:32]}"'


@require_safe
@cache_control(public=True, max_age=FRESH_SECONDS)
@condition(etag_func=_etag)
async def openapi(request: HttpRequest) -> HttpResponse:
    """The document; needs no key."""
    return HttpResponse(_encoded(origin(request)), content_type="application/json")
