"""Edits with the official MCP client, in both modes of the protocol. Errors are in test_mcp_refusals.py."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult, ImageContent, ListToolsResult, ResourceLink
from PIL import Image

from tests import ask
from tests.e2e import agent
from tests.e2e.agent import MODES, Mode, data, refusal
from tests.e2e.api import PICTURE, STANDARD, Api, open_spaces
from tests.e2e.portal import LASTING, ROOT, Portal
from tests.patience import PATIENCE, wait_until

LARGEST_PREVIEW = 100 * 1024
# Description and hints from the Naftiko capability: readOnly, destructive, idempotent.
SEED = {
    "editimagekontextpro": ("Edit image with FLUX.1 Kontext [pro]", False, False, False),
    "editimagekontextmax": ("Edit image with FLUX.1 Kontext [max]", False, False, False),
    "geteditresult": ("Flux Poll for editing result", True, False, True),
}
OURS = {
    "list_models": (True, False, True),
    "edit_image": (False, False, False),
    "estimate_credits": (True, False, True),
    "list_jobs": (True, False, True),
    "cancel_job": (False, True, True),
}


@pytest.fixture(scope="module")
def keys(api: Api) -> dict[str, str]:
    """Keys of a workspace that only these tests use."""
    return open_spaces(api.portal, {"agents": {"workspace": "Agents"}})


@pytest.mark.parametrize("mode", MODES)
def test_the_tools_are_listed_with_their_hints(api: Api, mode: Mode) -> None:
    async def work(client: Client) -> ListToolsResult:
        return await client.list_tools()

    tools = {tool.name: tool for tool in agent.run(api.portal.url, api.keys["acme"], work, mode=mode).tools}
    assert tools.keys() == SEED.keys() | OURS.keys()
    for name, tool in tools.items():
        assert tool.annotations is not None
        assert tool.title
        assert tool.output_schema
        annotations = (
            tool.annotations.read_only_hint,
            tool.annotations.destructive_hint,
            tool.annotations.idempotent_hint,
        )
        if name in SEED:
            assert (tool.description, *annotations) == SEED[name]
        else:
            assert annotations == OURS[name]


@pytest.mark.parametrize("mode", MODES)
def test_an_edit_reports_progress_and_returns_a_preview_and_a_link(
    api: Api, keys: dict[str, str], mode: Mode
) -> None:
    reported: list[tuple[float, float | None, str | None]] = []
    earlier: list[tuple[float, float | None, str | None]] = []
    url, key, lasting = api.portal.url, keys["agents"], f"{LASTING} told in {mode}"

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        reported.append((progress, total, message))

    def cancel() -> None:
        agent.call(url, key, "cancel_job", job_id=job_with(url, key, lasting))

    async def work(client: Client) -> CallToolResult:
        call = client.call_tool("edit_image", {"prompt": lasting}, progress_callback=listen)
        waiting = asyncio.create_task(call)
        await asyncio.to_thread(wait_until, lambda: len(reported) >= 2)
        await asyncio.to_thread(cancel)
        assert refusal(await waiting)["code"] == "conflict"
        earlier.extend(reported)
        reported.clear()
        parsed = {"prompt": "a quiet harbour", "model_tier": "standard"}
        return await client.call_tool("edit_image", parsed, progress_callback=listen)

    result = agent.run(url, key, work, mode=mode)
    for part in (earlier, reported):
        assert [progress for progress, _, _ in part] == sorted({progress for progress, _, _ in part})
    assert all(total == 100 and message for _, total, message in [*earlier, *reported])
    job = data(result)
    assert (job["status"], job["credits"]) == ("completed", STANDARD)
    _, preview, link = result.content
    assert isinstance(preview, ImageContent)
    small = base64.b64decode(preview.data)
    assert len(small) < LARGEST_PREVIEW
    with Image.open(io.BytesIO(small)) as picture:
        picture.load()
        assert (picture.get_format_mimetype(), max(picture.size)) == (preview.mime_type, 512)
    assert isinstance(link, ResourceLink)
    assert link.uri == job["results"][0]["url"]
    answer = ask.get(link.uri)
    assert (answer.status_code, answer.headers["content-type"]) == (200, link.mime_type)
    assert len(answer.content) == link.size
    channel = api.portal.query("SELECT channel FROM editor_job WHERE id = %s", job["job_id"])
    assert channel == [("mcp",)]


@pytest.mark.parametrize("mode", MODES)
def test_an_edit_accepts_a_url_and_an_earlier_result(api: Api, keys: dict[str, str], mode: Mode) -> None:
    async def work(client: Client) -> tuple[Any, Any]:
        first = data(
            await client.call_tool(
                "edit_image", {"prompt": "make it black and white", "images": [f"{api.pictures}/cat.png"]}
            )
        )
        source = first["results"][0]["image_id"]
        return first, data(
            await client.call_tool("edit_image", {"prompt": "make it warmer", "images": [source]})
        )

    first, second = agent.run(api.portal.url, keys["agents"], work, mode=mode)
    assert first["status"] == second["status"] == "completed"
    parent = api.portal.query("SELECT parent_id::text FROM editor_job WHERE id = %s", second["job_id"])
    assert parent == [(first["results"][0]["image_id"],)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("tool", ["editimagekontextpro", "editimagekontextmax"])
def test_the_kontext_tools_edit_and_return_the_result(
    api: Api, keys: dict[str, str], tool: str, mode: Mode
) -> None:
    async def work(client: Client) -> tuple[Any, CallToolResult]:
        task = data(
            await client.call_tool(
                tool,
                {
                    "prompt": "make it black and white",
                    "input_image": base64.b64encode(PICTURE).decode(),
                    "seed": 7,
                },
            )
        )
        while True:
            result = await client.call_tool("geteditresult", {"id": task["id"]})
            if data(result)["status"] != "Pending":
                return task, result
            await asyncio.sleep(0.2)

    task, result = agent.run(api.portal.url, keys["agents"], work, mode=mode)
    assert task["polling_url"] == f"{api.portal.url}/v1/get_result?id={task['id']}"
    reported = data(result)
    assert (reported["id"], reported["status"], reported["result"]["seed"]) == (task["id"], "Ready", 7)
    assert ask.get(reported["result"]["sample"]).headers["content-type"] == "image/png"
    assert [part.type for part in result.content] == ["text", "image", "resource_link"]


@pytest.mark.parametrize("mode", MODES)
def test_a_job_is_canceled_while_another_call_waits_for_it(
    api: Api, keys: dict[str, str], mode: Mode
) -> None:
    url, key, prompt = api.portal.url, keys["agents"], f"a harbour in {mode} {LASTING}"
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(agent.call, url, key, "edit_image", mode=mode, prompt=prompt)
        job_id = job_with(url, key, prompt)
        canceled = data(agent.call(url, key, "cancel_job", mode=mode, job_id=job_id))
        assert canceled["job_id"] == job_id
        wrong = refusal(waiting.result(PATIENCE))
    assert (wrong["code"], job_id in wrong["error"]) == ("conflict", True)
    assert [entry[0] for entry in api.ledger(job_id)] == ["hold", "release"]


def job_with(url: str, key: str, prompt: str) -> str:
    """Wait until a job with this prompt is processing, and return the newest one's id."""

    def look() -> str:
        for job in data(agent.call(url, key, "list_jobs"))["jobs"]:
            if job["prompt"] == prompt and job["status"] == "processing":
                return str(job["job_id"])
        return ""

    return wait_until(look, otherwise=lambda: agent.call(url, key, "list_jobs"))


@pytest.mark.parametrize("mode", MODES)
def test_the_job_of_a_disconnected_caller_goes_on(api: Api, keys: dict[str, str], mode: Mode) -> None:
    url, key, prompt = api.portal.url, keys["agents"], f"a harbour left in {mode}"

    async def disconnect(client: Client) -> None:
        call = asyncio.create_task(client.call_tool("edit_image", {"prompt": prompt}))
        await asyncio.to_thread(job_with, url, key, prompt)
        call.cancel()
        await asyncio.wait({call})

    with api.portal.no_new_images():  # it does not end before its caller disconnects
        agent.run(url, key, disconnect, mode=mode)
        job_id = job_with(url, key, prompt)

    def state() -> str:
        return str(data(agent.call(url, key, "geteditresult", id=job_id))["status"])

    wait_until(lambda: state() != "Pending")
    assert state() == "Ready"


def test_a_stopping_portal_returns_the_jobs_of_held_calls(portal: Portal) -> None:
    key = open_spaces(portal, {"agents": {"workspace": "Agents"}})["agents"]

    def hold(mode: Mode) -> CallToolResult:
        async def work(client: Client) -> CallToolResult:
            await client.list_tools()  # otherwise it would request their schemas after the portal has stopped
            return await client.call_tool("edit_image", {"prompt": f"{mode} {LASTING}"})

        return agent.run(portal.url, key, work, mode=mode)

    with ThreadPoolExecutor(2) as threads:
        held = {mode: threads.submit(hold, mode) for mode in MODES}
        for mode in MODES:
            job_with(portal.url, key, f"{mode} {LASTING}")
        assert portal.stop() == 0
        for mode in MODES:
            job = data(held[mode].result(PATIENCE))
            assert (job["status"], job["prompt"]) == ("processing", f"{mode} {LASTING}")
            assert job["note"]


def test_the_snippet_of_the_guide_runs_unchanged(api: Api, keys: dict[str, str]) -> None:
    guide = (ROOT / "docs" / "compatible" / "mcp.md").read_text()
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", snippet],
        env=os.environ | {"ATELIER_URL": api.portal.url, "ATELIER_KEY": keys["agents"]},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "completed\n"), done.stderr


def test_the_guide_lists_each_tool(api: Api, keys: dict[str, str]) -> None:
    async def work(client: Client) -> ListToolsResult:
        return await client.list_tools()

    guide = (ROOT / "docs" / "compatible" / "mcp.md").read_text()
    listed = [tool.name for tool in agent.run(api.portal.url, keys["agents"], work).tools]
    assert re.findall(r"^\| `(\w+)`", guide, re.MULTILINE) == listed
