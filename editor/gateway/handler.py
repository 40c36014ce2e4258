"""Django for API clients: no sessions, no cookies, no pages, and no thread per request."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.handlers.asgi import ASGIHandler
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from editor import disk
from editor.errors import DiskFull, EditorError
from editor.gateway.asgi import Scope, Send

log = logging.getLogger("editor.gateway")


class ProgramHandler(ASGIHandler):
    """Django's handler without the middleware that pages need.

    Django keeps a thread for synchronous work for as long as a request lasts, so held requests would
    need hundreds of them. Here such work (only Django's own signals) shares one thread, and views
    read and write through `editor.concurrency.threads`.
    """

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        await self.handle(scope, receive, send)  # type: ignore[arg-type]

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = self._answer

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        """Errors are statuses only: the gateway middleware renders them in the API's envelope."""
        try:
            return await self._get_response_async(request)  # type: ignore[attr-defined, no-any-return]
        except EditorError:
            request._stream.close()  # as Django does after its own responses
            raise
        except Http404:
            return HttpResponse(status=404)
        except (BadRequest, RequestDataTooBig, SuspiciousOperation):
            return HttpResponse(status=400)
        except Exception as error:
            log.exception("%s %s failed", request.method, request.path)
            if disk.is_cause(error):
                raise DiskFull from error
            return HttpResponse(status=500)
