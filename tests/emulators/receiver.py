"""A server that receives callbacks, for their tests."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.emulators.server import Server


class Receiver:
    """`got`: headers (lower case) and body of each POST to `url`; `answers`: statuses to come, then 200."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self._server = Server(Starlette(routes=[Route("/hook", self._take, methods=["POST"])]))

    @property
    def url(self) -> str:
        return f"http://{self._server.host}:{self._server.port}/hook"

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """The first `count`, as soon as they arrive; fails after a minute."""
        deadline = time.monotonic() + 60
        while len(self.got) < count:
            assert time.monotonic() < deadline, f"{len(self.got)} of {count} callbacks came"
            time.sleep(0.005)
        return self.got[:count]

    async def _take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
