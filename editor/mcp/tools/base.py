"""What a tool is, without a word of the protocol that carries it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from editor.access.actor import Actor
from editor.errors import InvalidInput
from editor.gateway import strict_json
from editor.gateway.profile import Caller

MOST_ARGUMENTS = 50  # no tool knows nearly as many


class Report(Protocol):
    """Tells the caller how far the work is, if they asked for that."""

    def __call__(
        self, progress: float, total: float | None = None, message: str | None = None
    ) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls. `at` is what links begin with: scheme and host under which they know this portal."""

    caller: Caller
    base_url: str
    report: Report

    @property
    def actor(self) -> Actor:
        return self.caller.actor


@dataclass(frozen=True, slots=True)
class Picture:
    """A result: a lasting link to it, and a small WebP of it where there is one."""

    name: str
    url: str
    content_type: str
    size: int
    preview: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool says: data in its output schema, and the pictures that go with it."""

    data: dict[str, Any]
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True, slots=True)
class Annotations:
    """What a tool does to the world, for whoever decides whether an agent may call it."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool | None = None


class Arguments(BaseModel):
    """What a tool takes. What it does not know is refused: an agent learns from that."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    scope         what the key must allow
    arguments     reads what was sent; `input_schema` tells agents of it
    run           gets what `arguments` made of it
    """

    name: str
    title: str
    description: str
    annotations: Annotations
    scope: str
    arguments: type[BaseModel]
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    run: Callable[[Call, Any], Awaitable[Answer]]

    async def answer(self, call: Call, sent: Mapping[str, Any]) -> Answer:
        """Check the key and the arguments, then run. Raises EditorError."""
        call.caller.require(self.scope)
        return await self.run(call, self._read(sent))

    def _read(self, sent: Mapping[str, Any]) -> BaseModel:
        if len(sent) > MOST_ARGUMENTS:
            raise InvalidInput(
                f"At most {MOST_ARGUMENTS} arguments are allowed; this call has {len(sent):,}."
            )
        try:
            strict_json.check_text(dict(sent))
        except (ValueError, RecursionError):
            raise InvalidInput(
                "The arguments are nested too deeply, or contain text that cannot be stored."
            ) from None
        try:
            return self.arguments.model_validate(sent)
        except ValidationError as error:
            fields = {
                ".".join(map(str, item["loc"])): item["msg"].removeprefix("Value error, ")
                for item in error.errors(include_url=False, include_input=False, include_context=False)
            }
            text = "; ".join(f"{name}: {what}" if name else what for name, what in list(fields.items())[:5])
            raise InvalidInput(text, fields=fields) from None
