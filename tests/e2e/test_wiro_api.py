"""The Wiro-compatible API as its clients use it: Wiro's own shell samples, a WebSocket, our own adapter.

The portal's edits run at an emulator of Wiro, which gets requests of the same API.
"""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection

from editor.net import policy
from editor.providers import http
from editor.providers.base import Account, EditRequest, Result
from editor.providers.wiro.adapter import Wiro as Adapter
from tests import ask
from tests.e2e import wiro_samples as samples
from tests.e2e.portal import PASSWORD, Portal
from tests.e2e.wiro_api import EMAIL, STATES, Profile
from tests.emulators.wiro import Wiro
from tests.factories import photo
from tests.patience import PATIENCE
from tests.providers import edits


@pytest.fixture(scope="module")
def wiro() -> Iterator[Wiro]:
    with Wiro() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def channel(portals: Path, wiro: Wiro) -> Iterator[Profile]:
    folder = portals / "wiro_api"
    folder.mkdir()
    portal = Portal(folder, OUTBOUND_ALLOW="127.0.0.0/8", **wiro.environment())
    try:
        portal.start()
        channel = Profile(portal)
        yield channel
        channel.http.close()
    finally:
        portal.remove()


def started(answer: dict[str, Any]) -> tuple[str, str]:
    """Check the response to a run, whose fields are exactly the printed ones; return task id and token."""
    assert set(answer) == {"errors", "taskid", "socketaccesstoken", "result"}
    assert (answer["errors"], answer["result"]) == ([], True)
    token = answer["socketaccesstoken"]
    assert answer["taskid"].isdecimal() and len(token) == 30 and token.isalnum()
    return answer["taskid"], token


RUNS = {
    "001": (samples.KONTEXT_MAX, "", "black-forest-labs/flux-kontext-max", 1),
    "003": (
        samples.TWO_IMAGES_RUN,
        samples.TWO_IMAGES,
        "wiro/flux_kontext_dev_with_2_image",
        2,
    ),
    "004": (samples.FLUX_2_PRO, "", "black-forest-labs/flux-2-pro", 2),
}


@pytest.mark.parametrize("name", RUNS)
def test_the_samples_of_each_document_run_unchanged(channel: Profile, wiro: Wiro, name: str) -> None:
    command, stdin, model, images = RUNS[name]
    task_id, token = started(channel.shell.run(command, stdin=stdin))
    task = channel.ended(task_id)
    details = [
        channel.shell.run(sample, task=task_id, token=token)
        for sample in (samples.DETAIL_UNQUOTED, samples.DETAIL_BY_TASK, samples.DETAIL_BY_TOKEN)
    ]
    assert details[0] == details[1] == details[2]
    assert (details[0]["total"], details[0]["errors"], details[0]["result"]) == ("1", [], True)
    assert details[0]["tasklist"] == [task]
    assert (task["status"], task["pexit"], task["socketaccesstoken"]) == ("task_postprocess_end", "0", token)
    assert f"{task['modelslugowner']}/{task['modelslugproject']}" == model
    (output,) = task["outputs"]
    assert output["contenttype"].startswith("image/")
    assert output["size"] == task["size"]
    picture = ask.get(output["url"])
    assert picture.headers["content-type"] == output["contenttype"]
    assert len(picture.content) == int(output["size"])
    Image.open(io.BytesIO(picture.content)).load()
    assert len([value for name, value in _links(task)]) == images
    received = wiro.tasks[-1]
    assert received.path.removeprefix("/v1/Run/") == model
    assert received.request["prompt"] == task["parameters"]["prompt"]


def _links(task: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, link)
        for name, value in task["parameters"].items()
        if name.startswith("inputImage")
        for link in value.split(",")
    ]


def test_a_task_has_every_printed_field_with_real_values(channel: Profile) -> None:
    began = int(time.time())
    task_id, _ = started(channel.shell.run(samples.KONTEXT_MAX))
    task = channel.ended(task_id)
    texts = {
        *("id uuid name socketaccesstoken debugoutput debugerror starttime endtime elapsedseconds").split(),
        *("status cps totalcost projectid modelid description basemodelid runtype modelfolderid").split(),
        *("modelfileid callbackurl createtime canceltime assigntime accepttime preprocessstarttime").split(),
        *("preprocessendtime postprocessstarttime postprocessendtime pexit size modeldescription").split(),
        *("modelslugowner modelslugproject").split(),
    }
    assert {name for name, value in task.items() if isinstance(value, str)} == texts
    assert set(task) - texts == {"parameters", "guestid", "marketplaceid", "categories", "outputs"}
    times = [
        int(task[f"{name}time"])
        for name in "create accept assign preprocessstart preprocessend start end postprocessstart".split()
    ]
    assert times == sorted(times) and began <= times[0] and times[-1] <= time.time() + 1
    assert task["canceltime"] == "0"
    assert float(task["totalcost"]) == pytest.approx(0.01 * _charged(channel, task_id))
    assert float(task["cps"]) * float(task["elapsedseconds"]) == pytest.approx(
        float(task["totalcost"]), rel=0.01
    )
    (output,) = task["outputs"]
    assert set(output) == {
        *("id name contenttype parentid uuid size addedtime modifiedtime accesskey foldercount").split(),
        *("filecount ispublic expiretime url").split(),
    }


def _charged(channel: Profile, task_id: str) -> int:
    ((charged,),) = channel.portal.query("SELECT charged FROM editor_job WHERE number = %s", int(task_id))
    assert charged > 0
    return int(charged)


@pytest.mark.parametrize("sample", [samples.KILL_BY_TASK, samples.KILL_BY_TOKEN], ids=["task", "token"])
def test_the_kill_sample_stops_a_running_task(channel: Profile, wiro: Wiro, sample: str) -> None:
    wiro.seconds = 3600
    try:
        task_id, token = started(channel.shell.run(samples.KONTEXT_MAX))
        channel.comes_to(task_id, "task_start")
        answer = channel.shell.run(sample, task=task_id, token=token)
    finally:
        wiro.seconds = 0.05
    (task,) = answer["tasklist"]
    assert (task["id"], task["status"], task["outputs"]) == (task_id, "task_cancel", [])
    assert (task["totalcost"], answer["errors"], answer["result"]) == ("0", [], True)
    assert int(task["canceltime"]) > 0
    assert wiro.tasks[-1].cancelled_at is not None
    again = channel.shell.run(sample, task=task_id, token=token)
    assert (again["result"], again["errors"][0]["code"]) == (False, 1)
    assert again["errors"][0]["message"].startswith("Task could not be killed: ")
    late = channel.shell.run(samples.CANCEL, task=task_id)
    assert late["errors"] == [{"code": 1, "message": "Task is not in a cancellable state."}]


def test_the_cancel_sample_cancels_a_waiting_task(portals: Path) -> None:
    folder = portals / "wiro_queue"
    folder.mkdir()
    portal = Portal(folder)
    try:
        portal.start("--no-worker")
        channel = Profile(portal)
        task_id, _ = started(channel.shell.run(samples.KONTEXT_MAX))
        (waiting,) = channel.ask("Task/Detail", taskid=task_id)["tasklist"]
        assert (waiting["status"], waiting["pexit"], waiting["outputs"]) == ("task_queue", "", [])
        answer = channel.shell.run(samples.CANCEL, task=task_id)
        assert [task["status"] for task in answer["tasklist"]] == ["task_cancel"]
        assert portal.query("SELECT balance, held FROM editor_creditaccount") == [(5_000, 0)]
        channel.http.close()
    finally:
        portal.remove()


def test_the_socket_sends_all_states_to_early_and_late_subscribers(channel: Profile, wiro: Wiro) -> None:
    wiro.seconds = 1.5
    try:
        answer = channel.ask("Run/black-forest-labs/flux-2-pro", prompt="a harbour", seed=7)
        with channel.listen() as early:
            assert json.loads(early.recv(PATIENCE)) == {"type": "connected", "version": "1.0"}
            frames = _heard(early, answer["socketaccesstoken"])
    finally:
        wiro.seconds = 0.05
    with channel.listen() as late:
        late.recv(PATIENCE)
        assert _heard(late, answer["socketaccesstoken"]) == frames
    kinds = [frame["type"] for frame in frames]
    assert list(dict.fromkeys(kinds)) == STATES
    for frame in frames:
        assert (frame["id"], frame["tasktoken"], frame["result"]) == (
            answer["taskid"],
            answer["socketaccesstoken"],
            True,
        )
    (output,) = frames[-1]["message"]
    assert set(output) == {"name", "contenttype", "size", "url"}
    task = channel.ended(answer["taskid"])
    assert output == {name: task["outputs"][0][name] for name in output}


def test_a_long_frame_is_refused_before_it_is_read(channel: Profile) -> None:
    with channel.listen() as socket:
        socket.recv(PATIENCE)
        with pytest.raises(ConnectionClosed) as closed:
            socket.send(" " * 100_000)
            socket.recv(PATIENCE)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == CloseCode.MESSAGE_TOO_BIG


def _heard(socket: ClientConnection, token: str) -> list[dict[str, Any]]:
    """The frames of a task until its last."""
    socket.send(json.dumps({"type": "task_info", "tasktoken": token}))
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["type"] not in ("task_postprocess_end", "task_cancel"):
        frames.append(json.loads(socket.recv(PATIENCE)))
    return frames


def test_an_upload_is_used_through_its_link_without_being_fetched(channel: Profile) -> None:
    uploaded = channel.http.post("File/Upload", files={"file": ("boat.png", photo(), "image/png")}).json()
    (item,) = uploaded["list"]
    assert (item["name"], item["contenttype"], uploaded["result"]) == ("boat.png", "image/png", True)
    answer = channel.ask("Run/black-forest-labs/flux-kontext-pro", prompt="warmer", inputImageUrl=item["url"])
    task = channel.ended(answer["taskid"])
    assert task["pexit"] == "0"
    assert _links(task) == [("inputImageUrl", item["url"])]
    # A plain http URL on this machine is refused, so the link was not fetched.
    refused = channel.ask(
        "Run/black-forest-labs/flux-kontext-pro", prompt="warmer", inputImageUrl=f"{channel.portal.url}/x.png"
    )
    assert refused["result"] is False


def test_our_own_adapter_works_with_the_api(channel: Profile) -> None:
    request = edits.edit(
        Wiro(), "black-forest-labs/flux-2-pro", edits.png("red"), edits.png("blue"), seed=5, width=256
    )
    account = Account(channel.portal.url, key=channel.signed["api_key"], secret=channel.signed["api_secret"])
    with ThreadPoolExecutor(1) as thread:  # this thread may have the browser's event loop
        result, heard = thread.submit(asyncio.run, _adapted(replace(request, account=account))).result(
            2 * PATIENCE
        )
    assert heard, "the socket told of the end"
    assert [image.content_type for image in result.images] == ["image/png"]


async def _adapted(request: EditRequest) -> tuple[Result, bool]:
    """Submit, wait until the WebSocket reports the end, and poll once."""
    adapter = Adapter()
    policy.allow(["127.0.0.0/8"])
    try:
        assert await adapter.check(request.account) == ""
        task = await adapter.submit(request)
        heard = await asyncio.wait_for(adapter.watch(request, task), PATIENCE)
        return await edits.finish(adapter, request, task), heard
    finally:
        await http.close()
        policy.allow(settings.OUTBOUND_ALLOW)


def test_a_signature_starts_only_one_run(channel: Profile) -> None:
    """With one signature: the same run again, and a run with another body."""
    other = samples.FLUX_2_PRO.replace("the car", "the cat")
    first, again, changed = channel.shell.run_all(samples.FLUX_2_PRO, samples.FLUX_2_PRO, other)
    started(first)
    for answer in (again, changed):
        assert answer["errors"] == [{"code": 0, "message": "Project authorization is not valid."}]


def test_bootstrap_creates_the_signing_key_once(channel: Profile) -> None:
    reported = channel.portal.folder / "wiro.json"
    before = reported.read_text()
    channel.portal.manage(
        *("bootstrap", "--email", EMAIL, "--password", PASSWORD, "--workspace", "Acme Studio"),
        *("--credits", "5000", "--wiro-key-file", str(reported)),
    )
    assert reported.read_text() == before
    assert reported.stat().st_mode & 0o777 == 0o600
