"""Fuzzing /mcp: no request causes a server error. Runs with many more examples are done by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from editor.mcp.tools.registry import TOOLS
from tests.e2e.api import Api
from tests.patience import PATIENCE

EXAMPLES = 150  # of each test
MODERN, HANDSHAKE = "2026-07-28", "2025-11-25"
NOBODY = "00000000-0000-4000-8000-000000000000"
# Required in each request of the newer mode.
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
reason = st.sampled_from(
    ["", "a harbour", "\x00", "\ud800", "pro", "platform", "bfl", NOBODY, "https://127.0.0.1:1/x", "aGVsbG8="]
)
methods = st.sampled_from(
    [
        *("initialize", "notifications/initialized", "notifications/cancelled", "ping", "server/discover"),
        *("tools/list", "tools/call", "resources/list", "subscriptions/listen", "completion/complete", "x"),
    ]
)
messages = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | anything, "method": methods | anything},
    optional={
        "id": st.integers() | anything,
        "params": st.fixed_dictionaries({}, optional={"_meta": st.just(META) | anything, "name": reason})
        | anything,
        "result": anything,
        "error": anything,
    },
)


OPTIONS = list(TOOLS["edit_image"].input_schema["properties"]["parameters"]["properties"])
values = reason | anything | st.dictionaries(st.sampled_from(OPTIONS), reason | anything, max_size=3)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A tool and arguments, most with names and some with values that it knows."""
    tool = draw(st.sampled_from(list(TOOLS.values())))
    known = tool.input_schema["properties"]
    right = {"prompt": "a harbour", "id": NOBODY, "job_id": NOBODY} if draw(st.booleans()) else {}
    arguments: dict[str, Any] = {name: value for name, value in right.items() if name in known}
    arguments |= draw(st.dictionaries(st.sampled_from(list(known)), values, max_size=3))
    if draw(st.integers(0, 9)) == 0:
        arguments |= draw(st.dictionaries(st.text(max_size=8), anything, max_size=2))
    if tool.name == "edit_image":
        arguments["wait_seconds"] = 0
    return tool.name, arguments


@pytest.fixture(scope="module")
def http(api: Api) -> Iterator[httpx.Client]:
    headers = {
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "authorization": f"Bearer {api.keys['fuzz']}",
    }
    with httpx.Client(base_url=api.portal.url, headers=headers, timeout=PATIENCE) as client:
        yield client


def ask(http: httpx.Client, content: bytes, version: str, **headers: str) -> list[dict[str, Any]]:
    """The messages of the response, from JSON or from events."""
    answer = http.post("/mcp", content=content, headers={"mcp-protocol-version": version, **headers})
    assert answer.status_code < 500, answer.text
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        # Not splitlines(), which splits at more line ends than event streams have.
        lines = answer.text.replace("\r\n", "\n").split("\n")
        return [json.loads(line[5:]) for line in lines if line.startswith("data:")]
    assert answer.status_code == 202 or answer.json()["jsonrpc"] == "2.0"
    return [answer.json()] if answer.content else []


def is_our_fault(message: dict[str, Any]) -> bool:
    code = (message.get("result", {}).get("structuredContent") or {}).get("code")
    return message.get("error", {}).get("code") == -32603 or code == "error"


@FUZZ
@given(call=calls(), version=st.sampled_from([MODERN, HANDSHAKE]))
@example(call=("edit_image", {"prompt": "a harbour", "wait_seconds": 0}), version=MODERN)
@example(call=("edit_image", {"prompt": "\ud800", "wait_seconds": 0}), version=MODERN)
@example(call=("edit_image", {"prompt": "a", "images": ["https://[" * 9], "wait_seconds": 0}), version=MODERN)
@example(
    call=("edit_image", {"prompt": "a", "images": ["https://\u2100/"], "wait_seconds": 0}), version=MODERN
)
@example(call=("editimagekontextpro", {"prompt": "a", "seed": 10**400}), version=MODERN)
@example(call=("list_jobs", {"page": 1e308}), version=HANDSHAKE)
def test_any_arguments_cause_no_internal_error(
    http: httpx.Client, call: tuple[str, Any], version: str
) -> None:
    name, arguments = call
    params = {"name": name, "arguments": arguments, "_meta": META}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    reported = ask(http, body, version, **{"mcp-method": "tools/call", "mcp-name": name})
    assert reported
    assert not any(map(is_our_fault, reported)), reported


@FUZZ
@given(
    body=messages.map(lambda message: json.dumps(message).encode())
    | anything.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=200),
    version=st.sampled_from([MODERN, HANDSHAKE]) | st.from_regex(r"[ -~]{0,12}", fullmatch=True),
)
@example(body=b"[" * 100_000, version=MODERN)
@example(
    body=b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":' + b'{"a":' * 900 + b"1" + b"}" * 901,
    version=MODERN,
)
def test_any_message_causes_no_internal_error(http: httpx.Client, body: bytes, version: str) -> None:
    assert not any(map(is_our_fault, ask(http, body, version.strip())))


def test_the_log_has_no_errors_and_the_ledger_adds_up(api: Api) -> None:
    assert "Traceback" not in api.portal.log.read_text()
    assert api.portal.query(
        "SELECT balance + held - (SELECT sum(amount + held_amount) FROM editor_ledgerentry "
        "WHERE account_id = workspace_id) FROM editor_creditaccount JOIN editor_workspace w "
        "ON w.id = workspace_id WHERE slug = 'fuzz'"
    ) == [(0,)]
