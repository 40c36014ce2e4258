"""fal's own client works against the emulator, unchanged but for its addresses and key."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import fal_client
import fal_client.client
import httpx
import pytest

from tests.emulators.checks import http, photo
from tests.emulators.fal import Fal
from tests.emulators.fal.client import FLUX_2, KONTEXT, PHOTO, SOFA
from tests.emulators.faults import Fault

# The client never closes the connections of its uploads; `collected` raises the warning here, not during
# another test.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True, scope="module")
def collected() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def fal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fal]:
    with Fal(longest_side=64) as emulator:
        monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{emulator.url}/")
        monkeypatch.setattr(fal_client.client, "RUN_URL_FORMAT", f"{emulator.url}/fal.run/")
        monkeypatch.setattr(fal_client.client, "REST_URL", emulator.url)
        monkeypatch.setattr(fal_client.client, "CDN_URL", emulator.url)
        monkeypatch.setattr(fal_client.client, "BASE_DELAY", 0.01)
        yield emulator


@pytest.fixture
def client(fal: Fal) -> Iterator[fal_client.SyncClient]:
    client = fal_client.SyncClient(key=fal.key)
    yield client
    client._client.close()


def test_the_official_client_waits_for_the_result(fal: Fal, client: fal_client.SyncClient):
    fal.stop_clock()
    seen: list[fal_client.Status] = []

    def see(status: fal_client.Status) -> None:
        seen.append(status)
        fal.ahead = 1

    output = client.subscribe(
        f"{KONTEXT}/max", SOFA, with_logs=True, interval=0.02, on_queue_update=see, priority="low"
    )

    assert isinstance(seen[0], fal_client.InProgress)
    assert isinstance(seen[-1], fal_client.Completed)
    assert seen[-1].logs
    assert seen[-1].metrics == {"inference_time": 0.05}
    assert http.get(output["images"][0]["url"]).content == fal.tasks[0].pictures[0].content
    assert fal.tasks[0].headers["x-fal-queue-priority"] == "low"


def test_the_official_client_sees_the_queue_and_cancels(fal: Fal, client: fal_client.SyncClient):
    fal.stop_clock()
    fal.seconds = 10
    fal.queue.concurrency = 1
    running = client.submit(KONTEXT, SOFA)
    waiting = client.submit(KONTEXT, SOFA, webhook_url="http://127.0.0.1:9/hook", start_timeout=30)

    assert waiting.status() == fal_client.Queued(position=0)
    assert client.status(KONTEXT, waiting.request_id) == fal_client.Queued(position=0)
    running.cancel()
    done = running.status()

    assert isinstance(done, fal_client.Completed)
    assert (done.error, done.error_type) == ("Request was cancelled", "client_cancelled")
    assert fal.tasks[1].callback == "http://127.0.0.1:9/hook"
    with pytest.raises(fal_client.FalClientHTTPError):
        running.cancel()


def test_the_official_client_uploads_and_runs(fal: Fal, client: fal_client.SyncClient):
    urls = [
        client.upload(photo(), "image/png", file_name="room.png"),
        client.upload(photo(), "image/png", repository="fal", lifecycle=fal_client.StorageSettings("1h")),
    ]

    output = client.run(FLUX_2, {"prompt": "green", "image_urls": [*urls, PHOTO]})

    assert [http.get(url).content for url in urls] == [photo(), photo()]
    assert http.get(output["images"][0]["url"]).content == fal.tasks[0].pictures[0].content


async def test_the_official_asynchronous_client_works_too(fal: Fal):
    client = fal_client.AsyncClient(key=fal.key)
    url = await client.upload(photo(), "image/png")

    handle = await client.submit(KONTEXT, {**SOFA, "image_url": url})

    output = await handle.get(interval=0.02)
    assert http.get(output["images"][0]["url"]).content == fal.tasks[0].pictures[0].content
    await (await client._client).aclose()


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (Fault.WRONG_KEY, 401, "invalid key credentials"),
        (Fault.OUT_OF_FUNDS, 403, "Exhausted balance"),
        (Fault.SERVER_ERROR, 500, "Internal server error"),
        (Fault.PROMPT_MODERATED, 422, "content_policy_violation"),
        (Fault.OVERLOADED, 503, "No runner could be scheduled"),
    ],
)
def test_the_official_client_raises_its_own_errors(
    fal: Fal, client: fal_client.SyncClient, fault: Fault, status: int, text: str
):
    fal.script.next_submit = [fault]

    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        client.submit(KONTEXT, SOFA).get(interval=0.02)

    assert caught.value.status_code == status
    assert text in str(caught.value.message)
    assert isinstance(caught.value.response, httpx.Response)


def test_the_official_client_retries_refused_submits(fal: Fal, client: fal_client.SyncClient):
    fal.script.next_submit = [Fault.RATE_LIMITED, Fault.BAD_GATEWAY]

    handle = client.submit(KONTEXT, SOFA)

    assert [call.status for call in fal.calls] == [429, 502, 200]
    assert handle.get(interval=0.02)["images"]
