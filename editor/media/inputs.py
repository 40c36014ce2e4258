"""What an image comes as with a request: a file, base64, an address, a sample, an id."""

from __future__ import annotations

import base64
import io
import tempfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit
from uuid import UUID

from editor.media import codec
from editor.media.codec import BadImage

_IN_MEMORY = 1024 * 1024  # characters of one image in base64; longer ones wait on disk


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a request, and what its sender calls it."""

    name: str
    content: IO[bytes]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.content.seek(0, io.SEEK_END)

    def read(self) -> bytes:
        """The whole file. Raises BadImage, unread, for one that is too long for an image."""
        codec.check_length(self.size)
        self.content.seek(0)
        return self.content.read()


@dataclass(frozen=True, slots=True)
class Base64:
    """An image in base64, perhaps as a data URL. `content` is the text."""

    content: IO[bytes]
    name: str = ""

    def read(self) -> bytes:
        """The image's bytes. Raises BadImage for what is not base64."""
        self.content.seek(0)
        text = self.content.read()
        if text.startswith(b"data:"):
            text = text.partition(b",")[2]
        try:
            return base64.b64decode(b"".join(text.split()), validate=True)
        except ValueError:
            raise BadImage("This is neither an image in base64 nor an https address of one.") from None


@dataclass(frozen=True, slots=True)
class Link:
    """An image elsewhere."""

    url: str

    @property
    def name(self) -> str:
        return unquote(PurePosixPath(urlsplit(self.url).path).name)


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the shipped photographs."""

    name: str


NewImage = File | Base64 | Link
# An image or an upload of the workspace is its id.
ImageInput = NewImage | Sample | UUID


def from_text(text: str) -> Base64 | Link:
    """An https address, or else base64. Long texts are put on disk: not for the event loop."""
    if text[:8].lower().startswith(("https://", "http://")):
        return Link(text)
    if len(text) <= _IN_MEMORY:
        return Base64(io.BytesIO(text.encode()))
    content = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the submission)
    content.write(text.encode())
    return Base64(content)
