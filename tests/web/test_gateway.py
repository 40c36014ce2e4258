"""The gateway middleware of the pages: checks before a body is read. Most tests send only headers."""

from __future__ import annotations

import asyncio
import errno
import re
from typing import Any

import pytest
from django.test import Client

from editor.concurrency.threads import in_thread
from editor.errors import DiskFull
from editor.gateway import body
from editor.models import Plan, Role, User, Workspace
from editor.web import gateway
from editor.web.gateway import FILES_LIMIT, LIMIT, STRANGERS_LIMIT
from imageeditor.asgi import application
from tests.factories import UserFactory, make_member, make_workspace
from tests.patience import until
from tests.web.requests import signed_in

pytestmark = pytest.mark.usefixtures("committed")

HTMX = {"hx-request": "true", "hx-request-type": "partial"}
UPLOAD, RUN, INPUTS = "/w/acme-studio/upload/", "/w/acme-studio/run/", "/w/acme-studio/quote/"


@pytest.fixture
def workspace(committed: None) -> Workspace:
    return make_workspace()


class Request:
    """A request of which `pieces` arrive, and then nothing more."""

    def __init__(self, path: str, headers: dict[str, str], *pieces: bytes) -> None:
        self.read = 0
        self.status = 0
        self.headers: dict[str, str] = {}
        self.content = b""
        self._pieces = pieces
        self._scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "client": ("203.0.113.9", 1),
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in {"host": "localhost", **headers}.items()
            ],
        }

    async def send(self) -> Any:
        """Return as soon as there is a response."""
        answered = asyncio.Event()

        async def receive() -> Any:
            if self.read == len(self._pieces):
                await answered.wait()
                return {"type": "http.disconnect"}
            self.read += 1
            return {"type": "http.request", "body": self._pieces[self.read - 1], "more_body": True}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode().lower(): text.decode() for name, text in message["headers"]}
                self.read_before_answer = self.read
            else:
                self.content += message.get("body", b"")
                if self.headers.get("content-length") == str(len(self.content)):
                    answered.set()

        async with asyncio.timeout(60):
            await application(self._scope, receive, send)
        return self


async def ask(
    path: str, *, length: int | None = None, user: User | None = None, headers: dict[str, str] | None = None
) -> Any:
    """The response to headers alone; without a length the body is chunked."""
    reported = {"transfer_encoding": "chunked"} if length is None else {"content_length": str(length)}
    cookies = await in_thread(cookie_of, user) if user else {}
    kind = {"content_type": "multipart/form-data; boundary=x"}
    return await Request(path, {**reported, **cookies, **kind, **(headers or {})}).send()


def cookie_of(user: User) -> dict[str, str]:
    return {"cookie": f"sessionid={signed_in(user).cookies['sessionid'].value}"}


async def owner_of(workspace: Workspace) -> User:
    return await in_thread(workspace.members.get)


@pytest.mark.parametrize("path", [UPLOAD, RUN, "/w/nosuch/upload/", INPUTS, "/admin/"])
@pytest.mark.parametrize("fragment", [False, True], ids=["page", "fragment"])
async def test_an_anonymous_client_is_redirected_to_sign_in(
    workspace: Workspace, path: str, fragment: bool
) -> None:
    answer = await ask(path, length=STRANGERS_LIMIT + 1, headers=HTMX if fragment else {})
    assert (answer.status, answer.headers["location"]) == (302, f"/accounts/login/?next={path}")
    assert answer.headers["connection"] == "close"
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/accounts/login/", "/welcome/", "/theme/", "/nosuch/", "/healthz", "/"])
async def test_an_anonymous_client_sends_only_small_bodies_elsewhere(workspace: Workspace, path: str) -> None:
    answer = await ask(path, length=STRANGERS_LIMIT + 1)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert b"That is too large" in answer.content


async def test_a_file_without_a_length_counts_as_large(workspace: Workspace) -> None:
    assert (await ask(UPLOAD)).status == 302


async def test_an_anonymous_form_without_a_length_is_cut_off(workspace: Workspace) -> None:
    pieces = (b"x" * 1024,) * 1000
    answer = await Request("/accounts/login/", {"transfer_encoding": "chunked"}, *pieces).send()
    assert answer.status == 413
    assert answer.read_before_answer == STRANGERS_LIMIT // 1024 + 1


@pytest.mark.parametrize("path", [UPLOAD, RUN])
async def test_a_non_member_cannot_tell_whether_a_workspace_exists(workspace: Workspace, path: str) -> None:
    stranger = await in_thread(UserFactory.create)
    answer = await ask(path, length=10_000_000, user=stranger)
    missing = await ask(path.replace("acme-studio", "nosuch"), length=10_000_000, user=stranger)
    assert (answer.status, missing.status) == (404, 404)
    assert re.sub(rb'value="\w+"|": "\w+', b"", answer.content) == re.sub(
        rb'value="\w+"|": "\w+', b"", missing.content
    )


@pytest.mark.parametrize(
    "rights", [{"role": Role.VIEWER}, {"role": Role.EDITOR, "access_image_editor": False}]
)
@pytest.mark.parametrize("fragment", [False, True], ids=["page", "fragment"])
async def test_a_viewer_cannot_send_a_file(
    workspace: Workspace, rights: dict[str, Any], fragment: bool
) -> None:
    viewer = await in_thread(make_member, workspace, **rights)
    answer = await ask(RUN, length=10_000_000, user=viewer, headers=HTMX if fragment else {})
    assert answer.status == 403
    assert answer.content.lstrip().startswith(b'<p class="problem"') == fragment
    assert b"You can view this workspace" in answer.content
    assert b"Nothing was charged." in answer.content


@pytest.mark.parametrize(("path", "limit"), [(UPLOAD, FILES_LIMIT), (RUN, FILES_LIMIT), (INPUTS, LIMIT)])
async def test_a_members_body_over_the_limit_is_refused(workspace: Workspace, path: str, limit: int) -> None:
    answer = await ask(path, length=limit + 1, user=await owner_of(workspace), headers=HTMX)
    assert answer.status == 413
    assert answer.content.lstrip().startswith(b'<p class="problem"')


async def test_a_file_for_a_full_storage_is_refused(workspace: Workspace) -> None:
    user = await owner_of(workspace)
    await in_thread(Plan.objects.filter(pk=workspace.plan_id).update, storage_bytes=0)
    for length in (10_000_000, None):
        answer = await ask(UPLOAD, length=length, user=user, headers=HTMX)
        assert (answer.status, answer.read_before_answer) == (422, 0)
        assert b"storage is full" in answer.content


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
@pytest.mark.parametrize("token", [{}, {"x_csrftoken": "forged"}], ids=["no token", "token"])
async def test_a_cross_site_request_is_refused(
    workspace: Workspace, origin: str, token: dict[str, str]
) -> None:
    headers = {**HTMX, "origin": origin, **token}
    answer = await ask(UPLOAD, length=10_000_000, user=await owner_of(workspace), headers=headers)
    assert answer.status == 403
    assert b"does not accept forms from the address" in answer.content
    assert "x-csrftoken" not in answer.headers


async def test_a_large_form_with_a_token_that_is_out_of_date_gets_a_new_one(workspace: Workspace) -> None:
    """After signing in again in another tab: app.js then repeats it. Nearly all uploads are large forms."""
    session = await in_thread(cookie_of, await owner_of(workspace))
    cookie = f"{session['cookie']}; csrftoken={'z' * 32}"
    answer = await ask(UPLOAD, length=10_000_000, headers={**HTMX, "cookie": cookie, "x_csrftoken": "y" * 64})
    assert (answer.status, answer.read_before_answer) == (403, 0)
    assert b"This page is out of date" in answer.content
    assert len(answer.headers["x-csrftoken"]) == 64


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=", "x"])
async def test_a_forged_token_is_refused_by_the_headers_alone(
    workspace: Workspace, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    forged = {"x_csrftoken": "forged", "content_type": kind}
    answer = await ask(UPLOAD, length=10_000_000, user=await owner_of(workspace), headers=forged)
    assert answer.status == 403
    assert b"Your browser sent no cookie" in answer.content
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("headers", [{}, {"origin": "http://localhost"}], ids=["nothing", "own site"])
async def test_a_token_in_the_form_is_awaited(
    workspace: Workspace, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that then stalls times out."""
    monkeypatch.setattr(body, "BODY_SECONDS", 0.1)
    monkeypatch.setattr(body, "IGNORED_SECONDS", 0)
    answer = await ask(UPLOAD, length=10_000_000, user=await owner_of(workspace), headers=headers)
    assert answer.status == 408
    assert b"did not arrive in time" in answer.content


async def test_a_foreign_host_name_is_refused(workspace: Workspace) -> None:
    assert (await ask(UPLOAD, length=10_000_000, headers={"host": "evil.example"})).status == 400


def test_an_anonymous_form_can_still_sign_in(workspace: Workspace) -> None:
    user = workspace.members.get()
    user.set_password("correct horse battery")
    user.save()
    answer = Client().post("/accounts/login/", {"login": user.email, "password": "correct horse battery"})
    assert answer.status_code == 302


async def test_a_file_that_finds_no_space_on_the_disk_is_reported(workspace: Workspace) -> None:
    refusals: list[Any] = []

    async def keeps_it_on_a_full_disk(scope: Any, receive: Any, send: Any) -> None:
        if "refusal" not in scope:
            raise OSError(errno.ENOSPC, "No space left on device")
        refusals.append(scope["refusal"])

    cookie = await in_thread(cookie_of, await owner_of(workspace))
    request = Request(UPLOAD, {"content_length": "1000000", **cookie})

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    await gateway.PageGateway(keeps_it_on_a_full_disk)(request._scope, receive, send)
    assert [type(error) for error in refusals] == [DiskFull]


async def test_images_that_are_being_decoded_keep_nobody_from_sending(workspace: Workspace) -> None:
    """Twelve images that take a minute each, by four members, kept all others waiting. One's own wait."""
    entered, finished = list[str](), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        entered.append(scope["sender"])
        await finished.wait()

    pages = gateway.PageGateway(app)
    pages._slots = body.BodySlots(most=1, each=1)
    pages._people = body.BodySlots(most=9, each=1)
    length = STRANGERS_LIMIT + 1

    async def send_one(user: User, name: str) -> None:
        cookie = await in_thread(cookie_of, user)
        scope = Request(UPLOAD, {"content_length": str(length), **cookie})._scope
        await pages({**scope, "sender": name}, whole_body, answer_ignored)

    async def whole_body() -> Any:
        return {"type": "http.request", "body": bytes(length), "more_body": False}

    async def answer_ignored(message: Any) -> None:
        pass

    owner, other = await owner_of(workspace), await in_thread(make_member, workspace)
    async with asyncio.TaskGroup() as sending:
        sending.create_task(send_one(owner, "owner"))
        await until(lambda: entered == ["owner"])
        sending.create_task(send_one(owner, "owner"))
        await until(lambda: bool(pages._people._senders[str(owner.pk)]._waiting))
        sending.create_task(send_one(other, "other"))
        await until(lambda: len(entered) == 2)
        assert entered == ["owner", "other"]
        finished.set()
    assert entered == ["owner", "other", "owner"]
