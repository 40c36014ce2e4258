"""The portal behind a real nginx, with the configuration of docs/proxy/nginx.conf."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect
from websockets.sync.client import connect

from tests.e2e.conftest import ContextMaker
from tests.e2e.nginx import free_port, nginx
from tests.e2e.portal import LASTING, Portal
from tests.e2e.seed_client import BASE
from tests.e2e.studio import PHOTO, Studio
from tests.net.fetching import Authority
from tests.patience import PATIENCE

MIB = 1024 * 1024
# nginx's limit of silence is 60 seconds; here it is shorter than an edit.
IMPATIENT = "proxy_read_timeout 1s;"
SLOW = {"prompt": "[slow:3] make it warmer", "model_tier": "standard"}


class Proxied:
    """A portal whose BASE_URL is an nginx's address; an nginx runs there only within `behind`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.authority = Authority(folder)
        self.certificate = self.authority.certificate("localhost")
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.portal = Portal(folder, BASE_URL=self.url)
        self._runs = 0

    def start(self) -> None:
        self.portal.start()
        key = self.folder / "key"
        self.portal.bootstrap(
            email="amara@example.test", workspace="Acme Studio", credits=5_000, api_key_file=str(key)
        )
        self.key = key.read_text().strip()

    @contextmanager
    def behind(self, **options: Any) -> Iterator[httpx.Client]:
        """A client of the API through the proxy, with the options of `nginx`."""
        self._runs += 1
        folder = self.folder / f"nginx{self._runs}"
        headers = {"authorization": f"Bearer {self.key}", "x-key": self.key}
        with (
            nginx(self.portal, folder, port=self.port, certificate=self.certificate, **options) as url,
            httpx.Client(
                base_url=url, verify=self.authority.trust, timeout=PATIENCE, headers=headers
            ) as client,
        ):
            yield client

    def in_the_browser(self, new_context: ContextMaker) -> Studio:
        outside = copy(self.portal)
        outside.url = self.url
        return Studio(new_context(ignore_https_errors=True), outside)


@pytest.fixture(scope="module")
def proxied(portals: Path) -> Iterator[Proxied]:
    proxied = Proxied(portals / "proxied")
    proxied.start()
    yield proxied
    proxied.portal.remove()


def test_the_studio_works_with_its_socket(proxied: Proxied, new_context: ContextMaker) -> None:
    """Signing in and uploading show that forms are accepted; a result is reported by the socket alone."""
    with proxied.behind():
        studio = proxied.in_the_browser(new_context).begin()
        studio.edit("make it black and white", becomes="v2")
        expect(studio.page.get_by_text("Connection lost")).to_be_hidden()
        studio.page.goto("about:blank")


def test_a_file_that_the_proxy_refuses_is_explained(proxied: Proxied, new_context: ContextMaker) -> None:
    with proxied.behind(client_max_body_size="client_max_body_size 10k;"):
        studio = proxied.in_the_browser(new_context)
        studio.page.locator("#file").set_input_files(PHOTO)
        problem = studio.page.locator("#prompt-error")
        expect(problem).to_contain_text("larger than the server in front of the portal accepts")
        studio.page.goto("about:blank")


def test_a_held_call_outlasts_the_idle_limit(proxied: Proxied) -> None:
    with proxied.behind(limits=IMPATIENT, proxy_read_timeout="") as client:
        assert client.post(f"{BASE}/process", json=SLOW).status_code == 504, "the limit is not what is tested"
    with proxied.behind(limits=IMPATIENT) as client:
        answer = client.post(f"{BASE}/process", json=SLOW)
        assert (answer.status_code, answer.json()["data"]["status"]) == (201, "completed")
        generated = client.post("/v1/images/generations", json={"prompt": SLOW["prompt"]})
        assert generated.status_code == 200, generated.text


def test_events_arrive_as_they_happen(proxied: Proxied) -> None:
    with proxied.behind() as client:
        job = client.post(f"{BASE}/process", json={**SLOW, "prompt": LASTING, "async": True}).json()["data"]
        with client.stream("GET", f"{BASE}/jobs/{job['job_id']}/events") as events:
            first = next(events.iter_lines())
        assert first.startswith("id: ")
        canceled = client.post(f"{BASE}/jobs/{job['job_id']}/cancel")
        assert canceled.status_code == 200, canceled.text


@pytest.mark.parametrize("length", [25 * MIB, 25 * MIB + 1])
def test_the_portal_itself_decides_what_is_too_large(proxied: Proxied, length: int) -> None:
    with proxied.behind() as client:
        link = client.post(f"{BASE}/upload-url", json={"file_name": "a.png", "mime_type": "image/png"})
        url = link.json()["data"]["upload_url"]
        answer = client.put(url, content=bytes(length), headers={"content-type": "image/png"})
        assert answer.status_code == (200 if length <= 25 * MIB else 413), answer.text
        assert answer.status_code == 200 or answer.json()["code"] == "too_large"


@pytest.mark.parametrize("host", ["$host", "$proxy_host", "127.0.0.1:81"])
def test_links_begin_with_the_public_address_whatever_the_host(proxied: Proxied, host: str) -> None:
    change = {r"proxy_set_header Host": f"proxy_set_header Host {host};"}
    with proxied.behind(**change) as client:
        answers = [
            client.post(f"{BASE}/process", json={**SLOW, "prompt": "make it warmer"}),
            client.post(f"{BASE}/upload-url", json={"file_name": "a.png", "mime_type": "image/png"}),
            client.get(f"{BASE}/openapi.json"),
            client.post("/v1/flux-2-pro", json={"prompt": "make it warmer"}),
            client.post(
                "/v1/images/generations", json={"prompt": "make it warmer", "response_format": "url"}
            ),
        ]
        pages = [client.get("/"), client.get("/admin/"), client.get("/accounts/login/")]
    for answer in answers:
        assert answer.is_success, answer.text
        assert f"{proxied.url}/" in answer.text
    for answer in [*answers, *pages]:
        seen = answer.text + json.dumps(dict(answer.headers))
        assert f":{proxied.portal.port}" not in seen
        assert "127.0.0.1" not in seen


def test_the_socket_for_clients_of_wiro_works(proxied: Proxied) -> None:
    trust: ssl.SSLContext = proxied.authority.trust
    with (
        proxied.behind(),
        connect(f"wss://localhost:{proxied.port}/ws/v1", ssl=trust, proxy=None) as socket,
    ):
        assert json.loads(socket.recv(PATIENCE))["type"] == "connected"
        socket.send("x")
        assert json.loads(socket.recv(PATIENCE))["message"] == "frame-invalid"
        socket.ping().wait(PATIENCE)
