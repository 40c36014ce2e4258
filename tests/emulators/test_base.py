"""The base of the emulators: images, control by hand, stop and start, bugs."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from tests.emulators.base import Emulator
from tests.emulators.checks import http, opened
from tests.emulators.faults import Fault, Step
from tests.emulators.pictures import Picture


class Minimal(Emulator):
    name = "minimal"
    base_path = "/v1"

    def routes(self) -> list[BaseRoute]:
        return [self.route("GET", "/poll", self.poll, Step.POLL), self.route("GET", "/bug", self.bug)]

    def refusal(self, fault: Fault) -> Response:
        return JSONResponse({"refused": fault}, 500)

    def lost(self, request: Request, status: int) -> Response:
        return JSONResponse({"lost": status}, status)

    async def poll(self, request: Request, fault: Fault | None) -> Response:
        return JSONResponse({"fault": fault})

    async def bug(self, request: Request, fault: Fault | None) -> Response:
        raise RuntimeError("a bug of the emulator")


@pytest.mark.parametrize(("name", "pillow_format"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_pictures_are_real_and_the_same_for_the_same_options(name: str, pillow_format: str):
    picture = Picture("a red chair", 7, 96, 64, name)

    assert opened(picture.content) == (pillow_format, (96, 64))
    assert Picture("a red chair", 7, 96, 64, name).content == picture.content
    others = [
        Picture("a red table", 7, 96, 64, name),
        Picture("a red chair", 8, 96, 64, name),
        Picture("a red chair", 7, 96, 64, name, index=1),
    ]
    assert len({picture.content, *(other.content for other in others)}) == 4


def test_results_can_be_kept_small():
    emulator = Minimal(longest_side=100)

    picture = emulator.picture(prompt="x", seed=1, width=2000, height=1000, format="png")

    assert opened(picture.content) == ("PNG", (100, 50))


def test_faults_are_set_by_hand_for_some_requests_or_until_removed():
    with Minimal() as emulator:
        control = f"{emulator.url}/_control"

        def poll() -> object:
            return http.get(f"{emulator.url}/poll").json()

        http.post(control, json={"on": "poll", "fault": "server_error", "times": 2})
        assert [poll(), poll(), poll()] == [{"refused": "server_error"}] * 2 + [{"fault": None}]
        http.post(control, json={"on": "poll", "fault": "failed"})
        assert [poll(), poll()] == [{"fault": "failed"}] * 2
        http.post(control, json={"on": "poll", "fault": None})
        assert poll() == {"fault": None}
        assert http.get(control).json()["calls"]["poll"] == 6
        unknown = http.post(control, json={"on": "poll", "fault": "earthquake"})
        assert (unknown.status_code, "server_error" in unknown.json()["fault"]) == (400, True)


def test_a_stopped_emulator_refuses_connections_and_comes_back_on_its_port():
    with Minimal() as emulator:
        url = f"{emulator.url}/poll"
        emulator.stop()
        with pytest.raises(httpx.ConnectError):
            http.get(url)
        emulator.start()
        assert http.get(url).status_code == 200
        assert [call.status for call in emulator.calls] == [200]


def test_settings_name_the_base_url_and_the_key():
    with Minimal(key="k") as emulator:
        assert emulator.environment() == {
            "MINIMAL_BASE_URL": f"{emulator.url}/v1",
            "MINIMAL_API_KEY": "k",
        }


def test_a_bug_of_an_emulator_is_not_mistaken_for_a_fault():
    with pytest.raises(RuntimeError, match="a bug"), Minimal() as emulator:
        assert http.get(f"{emulator.url}/bug").status_code == 500


def test_its_clock_can_be_ahead():
    with Minimal() as emulator:
        emulator.ahead = 86400
        before = time.time()
        reported = parsedate_to_datetime(http.get(f"{emulator.url}/poll").headers["date"]).timestamp()

    assert int(before) <= reported - 86400 <= time.time()


def test_its_clock_can_be_stopped():
    with Minimal() as emulator:
        emulator.stop_clock()
        began = emulator.now()
        emulator.ahead += 5
        assert emulator.now() - began == 5
