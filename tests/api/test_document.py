"""The API's document: valid, complete, consistent with its examples, and served like a static file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from django.test import RequestFactory
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from pydantic import ValidationError
from pytest_django import Settings

from editor.api.api import api
from editor.api.document import document
from editor.api.profile import PATH, PROFILE
from editor.api.schemas import EstimateIn
from editor.gateway.handler import ProgramHandler
from editor.gateway.middleware import GatewayMiddleware

URL = f"{PATH}openapi.json"
LIMITS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return json.loads(json.dumps(document(RequestFactory().get("/"))))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=GatewayMiddleware(ProgramHandler(), PROFILE))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def media(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Each example of a call: its place, its schema, and the example."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for title, example in content["examples"].items():
            yield title, content["schema"], example["value"]
    for status, answer in operation["responses"].items():
        for kind, content in answer["content"].items():
            for example in (
                events(content["example"]) if kind == "text/event-stream" else [content["example"]]
            ):
                yield status, content["schema"], example


def events(stream: str) -> Iterator[dict[str, str]]:
    """Each event of a stream, as a dict of its fields."""
    for event in stream.strip().split("\n\n"):
        yield dict(line.split(": ", 1) for line in event.split("\n"))


def fits(described: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:
    whole = {**schema, "components": described["components"]}
    return jsonschema.Draft202012Validator(whole).is_valid(value)


def test_it_is_valid_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    assert described["info"]["version"] == "1.0.0"
    validate(described, cls=OpenAPIV31SpecValidator)


def test_it_describes_every_call(described: dict[str, Any]) -> None:
    assert {name for name, _ in operations(described)} == {
        "POST /upload-url",
        "POST /process",
        "POST /estimate-credits",
        "GET /jobs",
        "GET /jobs/{job_id}",
        "POST /jobs/{job_id}/cancel",
        "GET /jobs/{job_id}/events",
        "GET /limits",
        "GET /usage",
        "GET /models",
        "GET /styles",
        "GET /characters",
        "GET /members",
        "POST /members",
        "PATCH /members/{member_id}",
        "DELETE /members/{member_id}",
        "GET /invitations",
        "POST /invitations",
        "POST /invitations/{invitation_id}/send",
        "DELETE /invitations/{invitation_id}",
    }
    assert len(list(operations(described))) == sum(
        len(view.operations)
        for router in api._get_bound_routers()
        for view in router.path_operations.values()
    )


def test_every_call_has_a_readable_description(described: dict[str, Any]) -> None:
    for name, operation in operations(described):
        assert operation["summary"] == operation["summary"].capitalize(), (
            f"{name}: words, no name of a function"
        )
        assert operation["description"].endswith("."), name
        [security] = operation["security"]
        assert security["ApiKey"][0] in (
            "image_editor:read",
            "image_editor:write",
            "workspace:manage",
        ), name


def test_every_field_and_parameter_is_described(described: dict[str, Any]) -> None:
    for name, schema in described["components"]["schemas"].items():
        for field, details in schema["properties"].items():
            assert details.get("description", "").endswith("."), f"{name}.{field}"
    for name, operation in operations(described):
        for parameter in operation["parameters"]:
            assert parameter["description"].endswith("."), f"{name} {parameter['name']}"


def test_every_call_has_valid_examples(described: dict[str, Any]) -> None:
    for name, operation in operations(described):
        for where, schema, example in media(operation):
            assert fits(described, schema, example), (name, where)


def test_an_invalid_example_would_be_noticed(described: dict[str, Any]) -> None:
    operation = described["paths"]["/process"]["post"]
    for where, schema, example in media(operation):
        assert not fits(described, schema, {**example, "success": "maybe", "prompt": 1}), where


@pytest.mark.parametrize(
    ("choice", "fine"),
    [
        ({"model_tier": "pro"}, True),
        ({"model": "vendor/model"}, True),
        ({"model_tier": "pro", "model": None}, True),
        ({}, False),
        ({"model": ""}, False),
        ({"model_tier": None}, False),
        ({"model_tier": "pro", "model": "vendor/model"}, False),
    ],
    ids=str,
)
def test_it_states_like_the_call_that_a_tier_or_a_model_is_required(
    described: dict[str, Any], choice: dict[str, Any], fine: bool
) -> None:
    assert fits(described, {"$ref": "#/components/schemas/EstimateIn"}, choice) is fine
    try:
        EstimateIn(**choice)
    except ValidationError:
        assert not fine
    else:
        assert fine


def test_every_response_documents_its_headers(described: dict[str, Any]) -> None:
    assert set(described["components"]["headers"]) > LIMITS
    for name, operation in operations(described):
        for status, answer in operation["responses"].items():
            assert set(answer["headers"]) >= LIMITS, (name, status)
        assert "Retry-After" in operation["responses"]["429"]["headers"]
        assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]
    accepted = described["paths"]["/process"]["post"]["responses"]["202"]
    assert set(accepted["headers"]) == {*LIMITS, "Location", "Retry-After", "Idempotency-Replayed"}


@pytest.mark.parametrize(
    ("path", "method", "names"),
    [
        ("/process", "post", {"Idempotency-Key", "Prefer"}),
        ("/jobs/{job_id}/events", "get", {"Last-Event-ID"}),
        ("/jobs", "get", set()),
    ],
)
def test_calls_document_their_request_headers(
    described: dict[str, Any], path: str, method: str, names: set[str]
) -> None:
    parameters = described["paths"][path][method]["parameters"]
    assert {one["name"] for one in parameters if one["in"] == "header"} == names


async def test_it_is_public_and_cacheable(client: httpx.AsyncClient) -> None:
    answer = await client.get(URL)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    [kept] = answer.headers.get_list("cache-control")
    assert set(kept.split(", ")) == {"public", "max-age=300"}
    assert answer.json()["servers"][0]["url"] == f"http://localhost{PATH.rstrip('/')}"


async def test_an_unchanged_document_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get(URL)
    again = await client.get(URL, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get(URL, headers={"if-none-match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_other_methods_are_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL)
    assert (answer.status_code, answer.json()["success"]) == (405, False)


async def test_it_contains_the_portals_own_url(client: httpx.AsyncClient, settings: Settings) -> None:
    settings.BASE_URL = "https://images.example.com"
    answer = await client.get(URL)
    assert answer.json()["servers"][0]["url"] == "https://images.example.com/api/v1/image-editor"
