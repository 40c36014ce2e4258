"""fal: submit to its queue, poll the status until COMPLETED, then fetch the result."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from editor.net import policy
from editor.providers import downloads, http
from editor.providers.base import (
    Account,
    EditRequest,
    ErrorKind,
    InputImage,
    NotSent,
    Progress,
    Provider,
    ProviderError,
    Result,
    Submitted,
)
from editor.providers.failures import failure
from editor.providers.fal import answers, keys, requests, signature

logger = logging.getLogger("editor.fal")

DOMAIN = "fal.run"
STORAGE_URL = "https://rest.fal.ai"  # of fal's own service; compatible servers have a single origin
FILES_KEPT = 24 * 3600  # seconds that fal keeps uploads and results; forever by default
_LIFETIME = {"x-fal-object-lifecycle-preference": json.dumps({"expiration_duration_seconds": FILES_KEPT})}
_JSON = {"content-type": "application/json"}


class Fal(Provider):
    """The fal provider."""

    name = "fal"
    label = "fal"
    public_url = "https://queue.fal.run"
    keys_url = "https://fal.ai/dashboard/keys"

    def __init__(
        self, *, submit_seconds: float = http.SUBMIT_SECONDS, ask_seconds: float = http.ASK_SECONDS
    ) -> None:
        """Set the time limits of a submit, and of any other request except downloads."""
        self.submit_seconds = submit_seconds
        self.ask_seconds = ask_seconds

    async def submit(self, request: EditRequest) -> Submitted:
        url = f"{request.account.base_url}/{requests.endpoint(request)}"
        if request.callback_url is not None:
            url += "?" + urlencode({"fal_webhook": request.callback_url})
        urls = await self._image_urls(request)
        content = await asyncio.to_thread(requests.body, request, urls=urls)
        answer = await http.submit(
            self.name,
            url,
            headers=_headers(request.account) | _JSON | _LIFETIME,
            content=content,
            seconds=self.submit_seconds,
        )
        reported = answers.submitted(answer)
        return Submitted(reported.pop("request_id"), state={**reported, "submitted_at": time.time()})

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        age = time.time() - float(task.state["submitted_at"])
        answer = await self._call(request, task, "status_url", logs=True)
        reading = answers.status(answer, age=age)
        if isinstance(reading, Progress):
            return reading
        output = answers.result(await self._call(request, task, "response_url"), age=age)
        if isinstance(output, Progress):
            return output
        images = await downloads.fetch_all(self.name, output.links[: request.samples])
        return Result(images=images, seed=output.seed)

    async def cancel(self, request: EditRequest, task: Submitted) -> None:
        try:
            answer = await self._call(request, task, "cancel_url", method="PUT")
        except ProviderError as error:
            logger.info("not cancelled task=%s: %s", task.task_id, error.kind)
        else:
            logger.info("cancel task=%s: HTTP %d", task.task_id, answer.status)

    async def check(self, account: Account) -> str:
        """Request an upload token: it costs nothing, and is refused when the balance is used up."""
        answer = await http.ask(
            self.name,
            "POST",
            f"{storage_url(account)}/storage/auth/token?storage_type=fal-cdn-v3",
            headers=_headers(account),
            seconds=self.ask_seconds,
            json={},
        )
        if not answer.ok:
            raise answers.refused(answer, asking=True)
        return ""

    async def is_genuine(self, *, account: Account, body: bytes, headers: Mapping[str, str]) -> bool:
        if signature.HEADER not in headers:
            return True
        published = await keys.published(storage_url(account))
        return not published or signature.verify(body=body, headers=headers, keys=published, now=time.time())

    async def _call(
        self, request: EditRequest, task: Submitted, name: str, *, method: str = "GET", logs: bool = False
    ) -> http.Answer:
        """Call the URL of this name from the response to the submit."""
        url = str(task.state[name])
        if not policy.trusts(request.account.base_url, url, domain=DOMAIN):
            text = "The provider gave a result URL on another server."
            raise failure(ErrorKind.UNAVAILABLE, message=text)
        return await http.ask(
            self.name,
            method,
            url,
            headers=_headers(request.account),
            seconds=self.ask_seconds,
            params={"logs": "1"} if logs else None,
        )

    async def _image_urls(self, request: EditRequest) -> list[str]:
        """Data URIs, or links to uploads if the images are large, in order."""
        contents = [await image.load() for image in request.images]
        pairs = list(zip(request.images, contents, strict=True))
        if sum(map(len, contents)) <= requests.INLINE_BYTES:
            return [await asyncio.to_thread(requests.data_uri, image, content) for image, content in pairs]
        try:
            return [await self._uploaded(request.account, image, content) for image, content in pairs]
        except NotSent:
            raise
        except ProviderError as error:  # also Temporary: nothing was submitted yet
            raise ProviderError(error.kind, error.message, retry_after=error.retry_after) from error

    async def _uploaded(self, account: Account, image: InputImage, content: bytes) -> str:
        """Upload the image and return its link. The upload URL is signed and gets no key."""
        answer = await http.ask(
            self.name,
            "POST",
            f"{storage_url(account)}/storage/upload/initiate?storage_type=fal-cdn-v3",
            headers=_headers(account) | _LIFETIME,
            seconds=self.ask_seconds,
            json={"content_type": image.content_type, "file_name": image.content_type.replace("/", ".")},
        )
        upload_url, file_url = answers.upload(answer)
        answer = await http.ask(
            self.name,
            "PUT",
            upload_url,
            headers={"content-type": image.content_type},
            seconds=self.submit_seconds,
            content=content,
        )
        if not answer.ok:
            raise failure(ErrorKind.UNAVAILABLE, message="The provider did not take the image.")
        return file_url


def _headers(account: Account) -> dict[str, str]:
    return {"authorization": f"Key {account.key}"}


def storage_url(account: Account) -> str:
    """The base URL for uploads and their tokens."""
    return STORAGE_URL if account.base_url == Fal.public_url else account.base_url
