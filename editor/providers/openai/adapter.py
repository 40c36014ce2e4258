"""OpenAI: one long request makes and returns the image; there is nothing to poll or cancel."""

from __future__ import annotations

import asyncio
import uuid

from editor.providers import http
from editor.providers.base import (
    Account,
    EditRequest,
    Progress,
    Provider,
    Result,
    Submitted,
)
from editor.providers.failures import answer_lost
from editor.providers.http import Answer
from editor.providers.openai import answers, requests

SUBMIT_SECONDS = 300.0  # the best quality takes up to 280


class OpenAi(Provider):
    """The OpenAI provider."""

    name = "openai"
    label = "OpenAI"
    public_url = "https://api.openai.com"
    keys_url = "https://platform.openai.com/api-keys"
    immediate = True

    def __init__(
        self, *, submit_seconds: float = SUBMIT_SECONDS, ask_seconds: float = http.ASK_SECONDS
    ) -> None:
        """Set the time limits of an edit and of a key check."""
        self.submit_seconds = submit_seconds
        self.ask_seconds = ask_seconds

    async def submit(self, request: EditRequest) -> Submitted:
        requests.check(request)
        answer = await (self._edit(request) if request.images else self._generate(request))
        result = await asyncio.to_thread(
            answers.result, answer, most=request.samples
        )  # megabytes of JSON and base64
        task_id = answer.headers.get("x-request-id") or uuid.uuid4().hex
        return Submitted(task_id=task_id, result=result)

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        """Only called if the portal stopped before storing the response, which cannot be fetched again."""
        raise answer_lost()

    async def check(self, account: Account) -> str:
        url = f"{account.base_url}/v1/models"
        answer = await http.ask(self.name, "GET", url, headers=_headers(account), seconds=self.ask_seconds)
        return answers.models_offered(answer)

    async def _generate(self, request: EditRequest) -> Answer:
        return await http.submit(
            self.name,
            f"{request.account.base_url}/v1/images/generations",
            headers=_headers(request.account),
            json=requests.fields(request),
            seconds=self.submit_seconds,
        )

    async def _edit(self, request: EditRequest) -> Answer:
        files = [
            requests.file(image, await image.load(), number=number)
            for number, image in enumerate(request.images, start=1)
        ]
        if request.mask is not None:
            first = request.images[0]
            white_to_change = await request.mask.load()
            mask = await asyncio.to_thread(requests.mask, white_to_change, (first.width, first.height))
            files.append(("mask", ("mask.png", mask, "image/png")))
        return await http.submit(
            self.name,
            f"{request.account.base_url}/v1/images/edits",
            headers=_headers(request.account),
            data={name: str(value) for name, value in requests.fields(request).items()},
            files=files,
            seconds=self.submit_seconds,
        )


def _headers(account: Account) -> dict[str, str]:
    return {"authorization": f"Bearer {account.key}"}
