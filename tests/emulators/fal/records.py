"""A request in fal's queue, with its status and its result."""

from __future__ import annotations

import math
import uuid
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from PIL import Image

from tests.emulators.fal.outcomes import CANCELLED, FLAGGED, TOO_LATE, ModelError, Outcome, platform_error
from tests.emulators.fal.runner import Wanted
from tests.emulators.faults import Fault
from tests.emulators.pictures import Picture
from tests.emulators.records import Task

_STEPS = 28


@dataclass(eq=False)
class Queued(Task):
    """`seconds` is the work only, without the wait in the queue.

    endpoint   as submitted; the URLs in responses have only its first two parts
    timeout    the most seconds it waits in the queue
    starts_at  when it starts, by the emulator's clock
    wanted     its input, if valid
    problem    its outcome, if it cannot succeed
    paths      of its files on the file host, one for each image
    ignored    names in the input that the model does not know
    """

    endpoint: str = ""
    timeout: float = math.inf
    starts_at: float = 0.0
    wanted: Wanted | None = None
    problem: Outcome | None = None
    paths: list[str] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)

    @property
    def is_late(self) -> bool:
        """It times out before it starts."""
        return self.starts_at - self.at > self.timeout

    @property
    def ends_at(self) -> float:
        if self.cancelled_at is not None:
            return self.cancelled_at
        if self.is_late:
            return self.at + self.timeout
        return math.inf if self.fault is Fault.NEVER_FINISHES else self.starts_at + self.seconds

    @property
    def application(self) -> str:
        """The part of the endpoint that is in URLs."""
        return application(self.endpoint)

    def is_done(self, now: float) -> bool:
        return self.ends_at <= now

    def outcome(self, fault: Fault | None, *, origin: str) -> Outcome:
        """Its outcome with this fault. `origin` is the base of links."""
        if self.cancelled_at is not None:
            return CANCELLED
        if self.is_late:
            return TOO_LATE
        match fault:
            case Fault.FAILED:
                return ModelError("internal_server_error", "Internal server error", status=500).outcome
            case Fault.OVERLOADED:
                return platform_error(
                    "runner_scheduling_failure", "No runner could be scheduled for the request", status=503
                )
        if self.problem is not None:
            return self.problem
        assert self.wanted is not None
        flagged = fault is Fault.RESULT_MODERATED
        if fault is Fault.PROMPT_MODERATED or (flagged and not self.wanted.kontext):
            return ModelError("content_policy_violation", FLAGGED, "prompt").outcome
        pairs = [] if fault is Fault.EMPTY_RESULT else list(zip(self.pictures, self.paths, strict=True))
        images = [self._image(picture, f"{origin}/files/{path}") for picture, path in pairs]
        return Outcome(200, self._output(images, flagged=flagged))

    def _image(self, picture: Picture, url: str) -> dict[str, Any]:
        assert self.wanted is not None
        if self.wanted.input.sync_mode:
            url = f"data:{picture.content_type};base64,{b64encode(picture.content).decode()}"
        image = {
            "url": url,
            "width": picture.width,
            "height": picture.height,
            "content_type": picture.content_type,
        }
        if not self.wanted.kontext:
            image |= {"file_name": url.rpartition("_")[2], "file_size": len(picture.content)}
        return image

    def _output(self, images: list[dict[str, Any]], *, flagged: bool) -> dict[str, Any]:
        assert self.wanted is not None
        output: dict[str, Any] = {"images": images, "seed": seed_of(self.id, self.wanted)}
        if self.wanted.kontext:
            output |= {
                "timings": {"inference": self.seconds},
                "has_nsfw_concepts": [flagged for _ in images],
                "prompt": self.wanted.input.prompt,
            }
        return output

    def logs(self, fraction: float) -> list[dict[str, str]]:
        """One line for each tenth of the work that is done."""
        return [
            {
                "message": f"step {round(_STEPS * tenth / 10)}/{_STEPS}",
                "level": "INFO",
                "source": "USER",
                "timestamp": _written(self.starts_at + self.seconds * tenth / 10),
            }
            for tenth in range(1, int(fraction * 10) + 1)
        ]


def application(endpoint: str) -> str:
    return "/".join(endpoint.split("/")[:2])


def seed_of(request_id: str, wanted: Wanted) -> int:
    """The requested seed, else one derived from the request."""
    if wanted.input.seed is not None:
        return wanted.input.seed
    return uuid.UUID(request_id).int % 2**32


def black(picture: Picture) -> bytes:
    """Kontext's replacement for an image that it flags."""
    buffer = BytesIO()
    Image.new("RGB", (picture.width, picture.height)).save(buffer, picture.format)
    return buffer.getvalue()


def _written(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
