"""Helpers to call the emulator."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import httpx

from tests.emulators.checks import http, photo, until
from tests.emulators.fal.app import Fal

KONTEXT = "fal-ai/flux-pro/kontext"
FLUX_2 = "fal-ai/flux-2-pro/edit"
PHOTO = f"data:image/png;base64,{b64encode(photo()).decode()}"
SOFA = {"prompt": "make the sofa green", "image_url": PHOTO}
SOFAS = {"prompt": "make the sofa green", "image_urls": [PHOTO]}


def submit(
    fal: Fal,
    values: Any = SOFA,
    *,
    endpoint: str = KONTEXT,
    headers: dict[str, str] | None = None,
    **query: str,
) -> httpx.Response:
    return http.post(
        f"{fal.url}/{endpoint}",
        json=values,
        params=query,
        headers={"authorization": f"Key {fal.key}", **(headers or {})},
    )


def get(fal: Fal, url: str) -> httpx.Response:
    return http.get(url, headers={"authorization": f"Key {fal.key}"})


def cancel(fal: Fal, submitted: httpx.Response) -> httpx.Response:
    return http.put(submitted.json()["cancel_url"], headers={"authorization": f"Key {fal.key}"})


def status(fal: Fal, submitted: httpx.Response) -> dict[str, Any]:
    answer = get(fal, submitted.json()["status_url"])
    body: dict[str, Any] = answer.json()
    assert answer.status_code == (200 if body["status"] == "COMPLETED" else 202)
    return body


def result(fal: Fal, submitted: httpx.Response) -> httpx.Response:
    """The response of the result, once the status is COMPLETED."""
    until(lambda: status(fal, submitted), lambda body: body["status"] == "COMPLETED")
    return get(fal, submitted.json()["response_url"])


def problem(answer: httpx.Response, code: int = 422) -> dict[str, Any]:
    """The first problem of a model error."""
    assert answer.status_code == code, answer.text
    found: dict[str, Any] = answer.json()["detail"][0]
    assert {"loc", "msg", "type"} <= set(found)
    assert answer.headers["x-fal-retryable"] == ("true" if code >= 500 else "false")
    return found
