"""Google's Gemini API: one long request makes and returns the image; nothing to poll or cancel."""

from __future__ import annotations

import asyncio
import uuid
from urllib.parse import quote

from editor.providers import http
from editor.providers.base import (
    Account,
    EditRequest,
    ErrorKind,
    Progress,
    Provider,
    Result,
    Submitted,
)
from editor.providers.failures import answer_lost, failure
from editor.providers.google import answers, requests

# v1 has refused `responseModalities`: contract, section 1.
VERSION = "v1beta"
SUBMIT_SECONDS = 300.0


class Google(Provider):
    """The Google provider."""

    name = "google"
    label = "Google"
    public_url = "https://generativelanguage.googleapis.com"
    keys_url = "https://aistudio.google.com/apikey"
    immediate = True

    def __init__(
        self, *, submit_seconds: float = SUBMIT_SECONDS, ask_seconds: float = http.ASK_SECONDS
    ) -> None:
        """Set the time limits of an edit and of a key check."""
        self.submit_seconds = submit_seconds
        self.ask_seconds = ask_seconds

    async def submit(self, request: EditRequest) -> Submitted:
        requests.check(request)
        images = [await image.load() for image in request.images]
        content = await asyncio.to_thread(requests.body, request, images)
        target = quote(request.target, safe="")
        answer = await http.submit(
            self.name,
            f"{request.account.base_url}/{VERSION}/models/{target}:generateContent",
            headers=_headers(request.account) | {"content-type": "application/json"},
            content=content,
            seconds=self.submit_seconds,
        )
        made = await asyncio.to_thread(answers.made, answer)  # megabytes of JSON and base64
        if isinstance(made, answers.NotMade):  # charged all the same, and must not be sent again
            return Submitted(task_id=uuid.uuid4().hex, state={"why": made.why})
        return Submitted(task_id=made.id or uuid.uuid4().hex, result=Result(images=(made.image,)))

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        """Raise why there is no image; or that the portal stopped before storing it, and it is lost."""
        if "why" in task.state:
            raise failure(ErrorKind.UNAVAILABLE, message=task.state["why"])
        raise answer_lost()

    async def check(self, account: Account) -> str:
        """Google reports neither a balance nor a limit, so the note is empty."""
        url = f"{account.base_url}/{VERSION}/models?pageSize=1"
        answer = await http.ask(self.name, "GET", url, headers=_headers(account), seconds=self.ask_seconds)
        if not answer.ok:
            raise answers.refused(answer, asking=True)
        return ""


def _headers(account: Account) -> dict[str, str]:
    return {"x-goog-api-key": account.key}
