"""The records of an emulator, and the refusal of a request."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from tests.emulators.faults import SPOILT, Fault, Step
from tests.emulators.pictures import Picture


class Refused(Exception):
    """Raised anywhere below a handler: the request gets this response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


@dataclass(eq=False)
class Task:
    """One piece of work that the provider accepted.

    path, headers, request  of the submit: names of headers in lower case, the body decoded
    at                      when it was submitted, by the emulator's clock
    seconds                 how long the work takes
    fault                   how it fails, if it does
    token                   its second id, if the provider has one
    callback                the URL to call at the end, or ""
    cost                    in the provider's own currency
    notes                   data that only its emulator needs
    """

    id: str
    path: str
    headers: dict[str, str]
    request: Any
    at: float
    seconds: float
    fault: Fault | None = None
    pictures: list[Picture] = field(default_factory=list)
    token: str = ""
    callback: str = ""
    cost: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)
    cancelled_at: float | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    polls: int = 0
    downloads: int = 0

    @property
    def ends_at(self) -> float:
        """By the emulator's clock."""
        if self.cancelled_at is not None:
            return self.cancelled_at
        return math.inf if self.fault is Fault.NEVER_FINISHES else self.at + self.seconds

    def under(self, fault: Fault | None) -> Fault | None:
        """The fault in a request with this fault: the request's own wins over the task's."""
        return self.fault if fault is None or fault in SPOILT else fault


@dataclass(eq=False)
class Call:
    """A request to one of the provider's endpoints, and the HTTP status of its response (0: none yet)."""

    step: Step | None
    method: str
    url: str
    headers: dict[str, str]
    at: float
    status: int = 0


@dataclass(frozen=True)
class Callback:
    """A callback as it was sent, and the status of its response; 0 without a response."""

    url: str
    headers: dict[str, str]
    body: bytes
    status: int
