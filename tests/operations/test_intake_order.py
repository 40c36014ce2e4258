"""Every API checks in the same order, cheap checks first, and a refused request leaves nothing."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from pytest_django import Settings

from editor.access import scopes
from editor.access.actor import Actor
from editor.api import profile as public
from editor.compat.bfl import profile as bfl
from editor.compat.openai import profile as openai
from editor.compat.wiro import profile as wiro
from editor.concurrency.threads import in_thread
from editor.errors import EditorError
from editor.gateway.handler import ProgramHandler
from editor.gateway.middleware import GatewayMiddleware
from editor.gateway.profile import Profile
from editor.models import Image, Job, Plan, Workspace
from editor.net import policy
from editor.operations import api_keys, credits
from tests.factories import make_actor, make_image, make_workspace, photo
from tests.mcp.conftest import Agent
from tests.net.fetching import Authority
from tests.operations.upload_files import sent, stored_files
from tests.providers.hostile import answers, hostile
from tests.web.requests import HTMX, signed_in
from tests.web.rows import add_job

MODEL = "black-forest-labs/flux-2-pro"
DAMAGED = photo()[:120]
# What may be wrong with a request, in the order in which it is reported, with a pattern of each message.
REASONS = {
    "scope": "image_editor:write",
    "storage": "storage is full",
    "option": "from 64 to",
    "jobs": "queued or running",
    "credits": "Not enough credits|Insufficient (credits|balance)",
    "image": "damaged or incomplete",
    "link": "HTTP status 404",
}


@dataclass
class Request:
    """What the next call sends. `wrong`: what is wrong with it or with the workspace.

    images   bytes of the images, in their order
    uploads  the same images as uploads, for the public API
    source   the id of an image of the workspace, for the web, where `images` holds the mask
    """

    workspace: Workspace
    wrong: list[str]
    images: list[bytes]
    link: str = ""
    uploads: list[UUID] = field(default_factory=list)
    source: str = ""

    @property
    def width(self) -> int:
        return 20 if "option" in self.wrong else 512

    def actor(self) -> Actor:
        """An actor in the workspace as it is now."""
        return make_actor(Workspace.objects.get(pk=self.workspace.pk))

    def scope(self) -> str:
        return scopes.READ if "scope" in self.wrong else scopes.WRITE

    def key(self) -> str:
        return api_keys.create(actor=self.actor(), name="script", scopes=[self.scope()])[1]


async def post(request: Request, channel: Profile, header: str, path: str, **sent: Any) -> str:
    key = await in_thread(request.key)
    headers = {header: f"Bearer {key}" if header == "authorization" else key}
    transport = httpx.ASGITransport(app=GatewayMiddleware(ProgramHandler(), channel))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return (await client.post(path, headers=headers, **sent)).text


async def by_public_api(request: Request) -> str:
    body = {
        "prompt": "a harbour",
        "model": MODEL,
        "parameters": {"width": request.width},
        "image_ids": [str(upload) for upload in request.uploads],
        "async": True,
    }
    if request.link:
        body["image_url"] = request.link
    return await post(request, public.PROFILE, "authorization", f"{public.PATH}process", json=body)


async def by_bfl(request: Request) -> str:
    images = [*(base64.b64encode(image).decode() for image in request.images)]
    images += [request.link] if request.link else []
    fields = {f"input_image_{number}".removesuffix("_1"): text for number, text in enumerate(images, start=1)}
    body = {"prompt": "a harbour", "width": request.width, **fields}
    return await post(request, bfl.PROFILE, "x-key", "/v1/flux-2-pro", json=body)


async def by_wiro(request: Request) -> str:
    data = {"prompt": "a harbour", "width": str(request.width), "inputImage9Url": request.link}
    files = [("inputImage", ("a.png", image, "image/png")) for image in request.images]
    return await post(
        request, wiro.PROFILE, "x-api-key", f"/v1/Run/{MODEL}", data=data, files=files or [("x", ("", b""))]
    )


async def by_openai(request: Request) -> str:
    data = {"prompt": "a harbour", "model": MODEL, "size": f"{request.width}x512"}
    files = [("image[]", ("a.png", image, "image/png")) for image in request.images]
    return await post(request, openai.PROFILE, "authorization", "/v1/images/edits", data=data, files=files)


async def by_mcp(request: Request) -> str:
    agent = await in_thread(lambda: Agent(request.actor(), request.scope()))
    images = [base64.b64encode(image).decode() for image in request.images]
    try:
        answer = await agent.ask(
            "edit_image",
            prompt="a harbour",
            model=MODEL,
            parameters={"width": request.width},
            images=images + ([request.link] if request.link else []),
            wait_seconds=0,
        )
    except EditorError as error:
        return error.message
    return str(answer.data)


async def by_web(request: Request) -> str:
    data: dict[str, Any] = {"prompt": "a harbour", "model": MODEL, "width": str(request.width)}
    data["images"] = request.source
    data["mask"] = SimpleUploadedFile("m.png", request.images[0], "image/png")

    def run() -> str:
        client = signed_in(request.actor().user)
        path = reverse("run", args=[request.workspace.slug])
        return client.post(path, data, headers=HTMX).content.decode()

    return await in_thread(run)


Call = Callable[[Request], Awaitable[str]]
NOT_IN: dict[Call, set[str]] = {by_openai: {"link"}, by_web: {"scope", "link"}}
CALLS: list[Call] = [by_public_api, by_bfl, by_wiro, by_openai, by_mcp, by_web]


@pytest.fixture(autouse=True)
def authority(
    committed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Iterator[Authority]:
    """The certificate authority that the portal trusts for servers on this machine, which it may call."""
    settings.HOLD_SECONDS = 0.1  # no worker runs here
    trusted = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.pem))
    policy.allow(["127.0.0.1"])
    yield trusted
    policy.allow([])


def kept() -> tuple[int, int, int]:
    """The numbers of jobs, images and image files."""
    files = [path for path in stored_files() if "incoming" not in path.parts]
    return Job.objects.count(), Image.objects.count(), len(files)


def fix(request: Request, problem: str) -> None:
    request.wrong.remove(problem)
    match problem:
        case "storage":
            Plan.objects.filter(name="Tight").update(storage_bytes=None)
        case "jobs":
            Plan.objects.filter(name="Tight").update(concurrent_jobs=2)
        case "credits":
            credits.grant(workspace=request.workspace, amount=100, actor=None)
        case "image":
            request.images, request.uploads = [photo(colour="white")], []


@pytest.mark.parametrize("call", CALLS)
async def test_every_api_refuses_in_the_same_order_and_leaves_nothing(
    call: Call, authority: Authority
) -> None:
    def prepare() -> Request:
        workspace = make_workspace(balance=0)
        actor = make_actor(workspace)
        source = make_image(actor) if call is by_web else None
        uploads = [sent(actor, DAMAGED).id] if call is by_public_api else []
        add_job(workspace, price=0)
        workspace.plan = Plan.objects.create(name="Tight", storage_bytes=0, concurrent_jobs=1)
        workspace.save()
        wrong = [problem for problem in REASONS if problem not in NOT_IN.get(call, ())]
        return Request(workspace, wrong, [DAMAGED], uploads=uploads, source=str(source.id) if source else "")

    request = await in_thread(prepare)
    before = await in_thread(kept)
    missing, there = answers(b"", "404 Not Found"), answers(photo(), content_type="image/png")
    async with hostile(missing, there, tls=authority.server("127.0.0.1")) as server:
        request.link = "" if call is by_openai else f"{server.url}/a.png"
        while request.wrong:
            answer = await call(request)
            reported = [problem for problem, reason in REASONS.items() if re.search(reason, answer)]
            assert reported == request.wrong[:1], answer
            assert await in_thread(kept) == before
            assert len(server.requests) == (request.wrong[0] == "link")
            await in_thread(fix, request, request.wrong[0])
        answer = await call(request)
    assert (await in_thread(kept))[0] == before[0] + 1, answer


@pytest.mark.parametrize("call", [by_bfl, by_wiro, by_openai, by_mcp])
async def test_good_images_sent_with_a_bad_one_are_not_kept(call: Call) -> None:
    workspace = await in_thread(make_workspace)
    answer = await call(Request(workspace, [], [photo(), photo(), DAMAGED]))
    assert re.search(REASONS["image"], answer)
    assert await in_thread(kept) == (0, 0, 0)
