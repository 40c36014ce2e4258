"""Tools, independent of the protocol."""

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
    """Reports progress to the caller, if they requested it."""

    def __call__(
        self, progress: float, total: float | None = None, message: str | None = None
    ) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `base_url` is scheme and host of links: where the caller reaches this portal."""

    caller: Caller
    base_url: str
    report: Report

    @property
    def actor(self) -> Actor:
        return self.caller.actor


@dataclass(frozen=True, slots=True)
class Picture:
    """A result: a lasting link to it, and a small WebP preview if there is one."""

    name: str
    url: str
    content_type: str
    size: int
    preview: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A tool's result: data in its output schema, and images."""

    data: dict[str, Any]
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True, slots=True)
class Annotations:
    """A tool's side effects, for clients that decide whether an agent may call it."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool | None = None


class Arguments(BaseModel):
    """A tool's arguments. Unknown ones are rejected, so that agents notice."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool.

    scope         the scope that the key needs
    arguments     parses the arguments; `input_schema` describes them to agents
    run           called with the parsed arguments
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
