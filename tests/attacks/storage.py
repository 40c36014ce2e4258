"""A tenant who tries to store something through every channel of a portal, and the responses."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e import agent
from tests.e2e.client import Client
from tests.e2e.portal import Portal
from tests.factories import photo
from tests.patience import PATIENCE

EMAIL, SLUG, CREDITS = "amara@example.test", "acme-studio", 1000
MODEL = "black-forest-labs/flux-kontext-pro"
PICTURE = photo()
FILE = ("a.png", PICTURE, "image/png")
API = "/api/v1/image-editor"
PROMPT = "make it black and white"


@dataclass(frozen=True)
class Reported:
    """A response: its status, its message, and its code if the channel has one."""

    status: int
    message: str
    code: str = ""


class Tenant:
    """A user and their key."""

    def __init__(self, portal: Portal, key: str) -> None:
        self.portal = portal
        self.key = key
        self.person = Client(portal, email=EMAIL, slug=SLUG)
        self.http = httpx.Client(base_url=portal.url, timeout=PATIENCE)
        self.bearer = {"authorization": f"Bearer {key}"}

    def close(self) -> None:
        self.person.http.close()
        self.http.close()

    def upload(self, content: bytes = PICTURE) -> httpx.Response:
        return self.person.send(f"/w/{SLUG}/upload/", files={"files": ("a.png", content, "image/png")})

    def link(self, **fields: object) -> httpx.Response:
        body = {"file_name": "a.png", "mime_type": "image/png", **fields}
        return self.http.post(f"{API}/upload-url", headers=self.bearer, json=body)

    def put(self, url: str, content: bytes = PICTURE) -> httpx.Response:
        return self.http.put(url, content=content, headers={"content-type": "image/png"})

    def through_every_channel(self) -> dict[str, Reported]:
        """The response of each channel to a file, or to an edit with one."""
        encoded = base64.b64encode(PICTURE).decode()
        edit = {"prompt": PROMPT, "model": MODEL, "image_url": "https://pictures.example/a.png"}
        answers = {
            "upload": self.upload(),
            "run": self.person.run(PROMPT, files={"mask": FILE}),
            "upload-url": self.link(file_size=len(PICTURE)),
            "process": self.http.post(f"{API}/process", headers=self.bearer, json=edit),
            "bfl": self.http.post(
                "/v1/flux-kontext-pro",
                headers={"x-key": self.key},
                json={"prompt": PROMPT, "input_image": encoded},
            ),
            "wiro": self.http.post(
                f"/v1/Run/{MODEL}",
                headers={"x-api-key": self.key},
                data={"prompt": PROMPT},
                files={"inputImage": FILE},
            ),
            "openai": self.http.post(
                "/v1/images/edits",
                headers=self.bearer,
                data={"prompt": PROMPT, "model": MODEL},
                files={"image": FILE},
            ),
        }
        reported = {channel: _reported(channel, answer) for channel, answer in answers.items()}
        refusal = agent.refusal(
            agent.call(self.portal.url, self.key, "editimagekontextpro", prompt=PROMPT, input_image=encoded)
        )
        return {**reported, "mcp": Reported(200, refusal["error"], refusal["code"])}


def _reported(channel: str, answer: httpx.Response) -> Reported:
    if channel in ("upload", "run"):
        return Reported(answer.status_code, answer.text)
    body = answer.json()
    match channel:
        case "bfl":
            return Reported(answer.status_code, body["detail"])
        case "wiro":
            return Reported(answer.status_code, body["errors"][0]["message"])
        case "openai":
            assert answer.headers["x-should-retry"] == "false"
            return Reported(answer.status_code, body["error"]["message"], body["error"]["code"])
    assert body["success"] is False
    return Reported(answer.status_code, body["error"], body["code"])


@contextmanager
def tenant(portal: Portal) -> Iterator[Tenant]:
    """The portal's first user, created by the first call."""
    key = portal.folder / "key"
    if not key.exists():
        portal.bootstrap(
            email=EMAIL,
            workspace="Acme Studio",
            credits=CREDITS,
            api_key_file=str(key),
            requests_per_minute="100000",
        )
    one = Tenant(portal, key.read_text().strip())
    try:
        yield one
    finally:
        one.close()


def files(portal: Portal) -> list[Path]:
    return [path for path in (portal.data / "media").rglob("*") if path.is_file()]
