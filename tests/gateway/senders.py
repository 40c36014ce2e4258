"""Clients that send a body in their own way."""

from __future__ import annotations

import asyncio
from typing import Any


class Sender:
    """Sends these pieces, then nothing; counts the calls of receive."""

    def __init__(self, *pieces: bytes, complete: bool = False) -> None:
        self.requested = 0
        self._pieces = list(pieces)
        self._complete = complete

    async def receive(self) -> Any:
        self.requested += 1
        if not self._pieces:
            await asyncio.Event().wait()
        piece = self._pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self._pieces) or not self._complete}
