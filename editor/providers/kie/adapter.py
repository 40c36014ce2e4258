"""kie.ai: two APIs behind one key, one for market models and an older one for Flux Kontext.

Images are uploaded first: kie accepts only URLs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

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
from editor.providers.kie import answers, requests


class Kie(Provider):
    """Source: the contract of kie's API. It has no way to cancel a task.

    submit_seconds  limit for a submit or an upload
    ask_seconds     limit for any other request
    """

    name = "kie"
    label = "kie.ai"
    public_url = requests.PUBLIC_URL
    keys_url = "https://kie.ai/api-key"
    shortest_wait = 2.5

    def __init__(
        self, *, submit_seconds: float = http.SUBMIT_SECONDS, ask_seconds: float = http.ASK_SECONDS
    ) -> None:
        self._submit_seconds = submit_seconds
        self._ask_seconds = ask_seconds

    async def submit(self, request: EditRequest) -> Submitted:
        requests.check(request)
        links = [await self._upload(request, image) for image in request.images]
        answer = await http.submit(
            self.name,
            request.account.base_url + requests.submit_path(request.target),
            headers=requests.headers(request.account),
            seconds=self._submit_seconds,
            json=requests.body(request, links=links),
        )
        return Submitted(answers.started(answer), {"submitted_at": time.time()})

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        """Poll the task, and fetch its results when it is done. kie reports no seeds."""
        answer = await http.ask(
            self.name,
            "GET",
            request.account.base_url + requests.poll_path(request.target),
            headers=requests.headers(request.account),
            seconds=self._ask_seconds,
            params={"taskId": task.task_id},
        )
        record = answers.record(answer, age=time.time() - task.state["submitted_at"])
        read = answers.kontext_links if request.target in requests.KONTEXT else answers.market_links
        links = read(record)
        if isinstance(links, Progress):
            return links
        images = await downloads.fetch_all(self.name, links[: request.samples])
        # kie counts in credits of half a cent.
        cost = amounts.dollars(record.get("creditsConsumed"), per_unit="0.005")
        return Result(images=images, cost=cost)

    async def check(self, account: Account) -> str:
        """Get the credits left, which is free."""
        answer = await http.ask(
            self.name,
            "GET",
            account.base_url + "/api/v1/chat/credit",
            headers=requests.headers(account),
            seconds=self._ask_seconds,
        )
        return answers.credits_left(answer)

    def limits(self, target: str) -> Mapping[str, int]:
        """About a hundred tasks per account; more are refused, not queued."""
        return {"all": 100}

    async def _upload(self, request: EditRequest, image: InputImage) -> str:
        """Upload the image and return its URL. Raises ProviderError; NotSent is the only Temporary."""
        content, content_type = await image.load(), image.content_type
        if len(content) > requests.most_bytes(request.target):
            content, content_type = await asyncio.to_thread(requests.as_jpeg, content), "image/jpeg"
        try:
            answer = await http.ask(
                self.name,
                "POST",
                requests.upload_url(request.account.base_url),
                headers=requests.headers(request.account),
                seconds=self._submit_seconds,
                **requests.upload(content, content_type),
            )
            return answers.uploaded(answer)
        except NotSent:
            raise
        except Temporary as error:
            raise ProviderError(error.kind, error.message, retry_after=error.retry_after) from error
