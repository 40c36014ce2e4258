"""Readers that stop reading: their connection is ended, so that nothing is kept for them.

uvicorn lets an application wait while a reader does not take what was sent, for as long as that is.
"""

from __future__ import annotations

import asyncio
import logging

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger("editor.server")

STALLED_SECONDS = 60.0  # without taking a single byte, while something is waiting to be taken


class Protocol(HttpToolsProtocol):
    """uvicorn's own, but for readers that stall."""

    _end: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _watch(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._end = asyncio.get_running_loop().call_later(STALLED_SECONDS, self._look, waiting)

    def _look(self, waiting: int) -> None:
        if self.transport.get_write_buffer_size() < waiting:
            self._watch()
            return
        log.info("a reader took nothing for %g seconds and was disconnected", STALLED_SECONDS)
        self.transport.abort()  # to close it would wait for the reader once more

    def _forget(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None
