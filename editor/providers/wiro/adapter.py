"""Wiro: images are uploaded first, then the model is run with their URLs.

Uploading first, as Wiro's own clients do, leaves little that can break during the submit of the run,
which costs money.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from editor.providers import amounts, downloads, http
from editor.providers.base import (
    Account,
    EditRequest,
    InputImage,
    NotSent,
    Progress,
    Provider,
    ProviderError,
    Result,
    Submitted,
    Temporary,
)
from editor.providers.wiro import answers, requests
from editor.providers.wiro.live import Live

log = logging.getLogger("editor.wiro")

# Wiro accepts Cancel while a task is queued and Kill once it has started, but neither in between.
CANCEL_PAUSES = (1.0, 2.0)  # seconds before the second and the third attempt


class Wiro(Provider):
    """Source: the contract of Wiro's API. Holds its sockets, nothing else.

    submit_seconds  limit for a run or an upload
    ask_seconds     limit for any other request
    """

    name = "wiro"
    label = "Wiro"
    public_url = requests.PUBLIC_URL
    keys_url = "https://wiro.ai/panel/project"
    shortest_wait = 2.0

    def __init__(
        self, *, submit_seconds: float = http.SUBMIT_SECONDS, ask_seconds: float = http.ASK_SECONDS
    ) -> None:
        self._submit_seconds = submit_seconds
        self._ask_seconds = ask_seconds
        self._live = Live()

    async def submit(self, request: EditRequest) -> Submitted:
        requests.check(request)
        seed = requests.seed(request)
        links = [
            await self._upload(request, image, number=number)
            for number, image in enumerate(request.images, 1)
        ]
        answer = await http.submit(
            self.name,
            _url(request.account, requests.run_path(request.target)),
            headers=_headers(request.account),
            seconds=self._submit_seconds,
            json=requests.body(request, links=links, seed=seed),
        )
        task_id, token = answers.started(answer)
        return Submitted(task_id, {"token": token, "seed": seed, "submitted_at": time.time()})

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        """Poll the task, and fetch its outputs when it is done."""
        token = task.state["token"]
        answer = await self._call(request.account, "Task/Detail", {"tasktoken": token})
        found = answers.task(answer, age=time.time() - task.state["submitted_at"])
        links = answers.links(found)
        if links is None:
            address = requests.socket_address(request.account.base_url)
            return Progress(percent=self._live.percent(address, token))
        images = await downloads.fetch_all(self.name, links[: request.samples])
        cost = amounts.dollars(found.get("totalcost"))
        return Result(images=images, seed=task.state["seed"], cost=cost)

    async def cancel(self, request: EditRequest, task: Submitted) -> None:
        """Remove the task from the queue, or kill it if it has left the queue."""
        for pause in (*CANCEL_PAUSES, None):
            try:
                for path in ("Task/Cancel", "Task/Kill"):
                    answer = await self._call(request.account, path, {"taskid": task.task_id})
                    if answers.trouble(answer) is None:
                        return
            except ProviderError as error:
                log.info("task %s could not be cancelled: %s", task.task_id, error.kind)
                return
            if pause is not None:
                await asyncio.sleep(pause)
        log.info("task %s could not be cancelled: it has ended, or is about to start", task.task_id)

    async def check(self, account: Account) -> str:
        """Request a task that does not exist, as Wiro's own key test does. It reports no balance."""
        answers.key_works(await self._call(account, "Task/Detail", {"tasktoken": "none"}))
        return ""

    async def watch(self, request: EditRequest, task: Submitted) -> bool:
        """Listen on Wiro's socket, one connection for all tasks. False if it fails."""
        address = requests.socket_address(request.account.base_url)
        return await self._live.ended(address, task.state["token"])

    async def _upload(self, request: EditRequest, image: InputImage, *, number: int) -> str:
        """Upload the image and return its URL. Raises ProviderError; NotSent is the only Temporary."""
        content, content_type = await image.load(), image.content_type
        if content_type == "image/webp" and not requests.model(request.target).takes_webp:
            content, content_type = await asyncio.to_thread(requests.as_png, content), "image/png"
        try:
            answer = await http.ask(
                self.name,
                "POST",
                _url(request.account, "File/Upload"),
                headers=_headers(request.account),
                seconds=self._submit_seconds,
                files=requests.upload(content, content_type, number=number),
            )
            return answers.uploaded(answer)
        except NotSent:
            raise
        except Temporary as error:
            raise ProviderError(error.kind, error.message, retry_after=error.retry_after) from error

    async def _call(self, account: Account, path: str, body: Mapping[str, Any]) -> http.Answer:
        return await http.ask(
            self.name,
            "POST",
            _url(account, path),
            headers=_headers(account),
            seconds=self._ask_seconds,
            json=body,
        )


def _url(account: Account, path: str) -> str:
    return f"{account.base_url}/v1/{path}"


def _headers(account: Account) -> dict[str, str]:
    # Nanoseconds, so that no two requests share a nonce: a compatible server may accept each only once.
    return requests.headers(account, nonce=str(time.time_ns()))
