"""A client of the public API as a third party would write it: from its document, with none of our code."""

from __future__ import annotations

from typing import Any

import httpx

from tests.patience import PATIENCE

BASE = "/api/v1/image-editor"
LIMITS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


class Refused(Exception):
    """A response in the error envelope."""

    def __init__(self, answer: httpx.Response) -> None:
        body = answer.json()
        assert body["success"] is False, body
        assert isinstance(body["error"], str), body
        assert body["error"], "an error without words"
        super().__init__(f"{answer.status_code}: {body['error']}")
        self.status = answer.status_code
        self.error: str = body["error"]
        self.answer = answer


class SeedClient:
    """Knows only host and key. Each method returns `data` of the response, or raises Refused."""

    def __init__(self, host: str, key: str) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=f"{host}{BASE}", headers=headers, timeout=300)
        self.last: httpx.Response | None = None

    def upload_url(self, **fields: Any) -> dict[str, Any]:
        return self._data(self.http.post("/upload-url", json=fields), 201)

    def put(self, upload_url: str, content: bytes, mime_type: str) -> httpx.Response:
        """Send the file, without the key: the URL is the authorization."""
        return httpx.put(upload_url, content=content, headers={"content-type": mime_type}, timeout=PATIENCE)

    def upload(self, content: bytes, *, file_name: str = "cat.png", mime_type: str = "image/png") -> str:
        """Do both steps and return the image's id."""
        link = self.upload_url(file_name=file_name, mime_type=mime_type)
        self.put(link["upload_url"], content, mime_type).raise_for_status()
        return str(link["image_id"])

    def process(self, **fields: Any) -> dict[str, Any]:
        return self._data(self.http.post("/process", json=fields), 201)

    def estimate(self, **fields: Any) -> dict[str, Any]:
        return self._data(self.http.post("/estimate-credits", json=fields), 200)

    def jobs(self, **params: Any) -> list[dict[str, Any]]:
        found = self._data(self.http.get("/jobs", params=params), 200)
        assert isinstance(found, list)
        return found

    def job(self, job_id: str) -> dict[str, Any]:
        return self._data(self.http.get(f"/jobs/{job_id}"), 200)

    def _data(self, answer: httpx.Response, status: int) -> Any:
        self.last = answer
        for name in LIMITS:
            assert answer.headers[name].isdecimal(), f"{name} of {answer.request.url}"
        if answer.is_error:
            raise Refused(answer)
        assert answer.status_code == status
        body = answer.json()
        assert body["success"] is True
        return body["data"]
