"""BFL (Black Forest Labs): submit by JSON, poll the task's own URL, fetch the result from a signed link."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from editor.net import policy
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
from editor.providers.bfl import answers, requests
from editor.providers.failures import failure

DOMAIN = "bfl.ai"  # each task is on one of its hosts
ACTIVE = 24  # concurrent tasks of one account; more are refused
ACTIVE_KONTEXT_MAX = 6


class Bfl(Provider):
    """The BFL provider. BFL can neither cancel a task nor find it without its id."""

    name = "bfl"
    label = "Black Forest Labs"
    public_url = "https://api.bfl.ai"
    keys_url = "https://dashboard.bfl.ai/"

    def __init__(
        self, *, submit_seconds: float = http.SUBMIT_SECONDS, ask_seconds: float = http.ASK_SECONDS
    ) -> None:
        """Set the time limits of a submit and of a poll."""
        self.submit_seconds = submit_seconds
        self.ask_seconds = ask_seconds

    async def submit(self, request: EditRequest) -> Submitted:
        requests.check(request)
        images = [await image.load() for image in request.images]
        mask = await request.mask.load() if request.mask is not None else None
        content = await asyncio.to_thread(requests.body, request, images=images, mask=mask)
        answer = await http.submit(
            self.name,
            f"{request.account.base_url}/v1/{request.target}",
            headers=_headers(request.account) | {"content-type": "application/json"},
            content=content,
            seconds=self.submit_seconds,
        )
        task_id, polling_url = answers.submitted(answer)
        return Submitted(task_id, state={"polling_url": polling_url, "submitted_at": time.time()})

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        url = _polling_url(request.account, task)
        answer = await http.ask(
            self.name, "GET", url, headers=_headers(request.account), seconds=self.ask_seconds
        )
        age = time.time() - float(task.state["submitted_at"])
        reading = answers.polled(answer, age=age)
        if isinstance(reading, Progress):
            return reading
        image = await http.download(self.name, reading.link)
        return Result(images=(image,), seed=reading.seed, cost=reading.cost)

    async def check(self, account: Account) -> str:
        url = f"{account.base_url}/v1/credits"
        answer = await http.ask(self.name, "GET", url, headers=_headers(account), seconds=self.ask_seconds)
        return answers.credits_left(answer)

    def limits(self, target: str) -> Mapping[str, int]:
        if target == "flux-kontext-max":
            return {"all": ACTIVE, target: ACTIVE_KONTEXT_MAX}
        return {"all": ACTIVE}


def _headers(account: Account) -> dict[str, str]:
    return {"x-key": account.key}


def _polling_url(account: Account, task: Submitted) -> str:
    """BFL's polling URL; with a callback it sends none. Raises ProviderError if the key must not go there."""
    url: Any = task.state["polling_url"]
    if not url:
        return f"{account.base_url}/v1/get_result?id={quote(task.task_id, safe='')}"
    if not policy.trusts(account.base_url, url, domain=DOMAIN):
        message = "The provider gave a result URL on another server."
        raise failure(ErrorKind.UNAVAILABLE, message=message)
    return str(url)
