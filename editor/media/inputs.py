"""The forms of an image in a request: a file, base64, a URL, a sample, an id."""

from __future__ import annotations

import base64
import io
import tempfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit
from uuid import UUID

from editor.media import limits
from editor.media.limits import BadImage

_IN_MEMORY = 1024 * 1024  # characters of one image in base64; longer ones are kept on disk


@dataclass(frozen=True, slots=True)
class File:
    """A file in a request, with the sender's name for it."""

    name: str
    content: IO[bytes]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.content.seek(0, io.SEEK_END)

    def read(self) -> bytes:
        """The whole file. Raises BadImage, unread, if it is too large for an image."""
        limits.check_upload_length(self.size)
        self.content.seek(0)
        return self.content.read()


@dataclass(frozen=True, slots=True)
class Base64:
    """An image in base64, optionally as a data URL. `content` is the text."""

    content: IO[bytes]
    name: str = ""

    def read(self) -> bytes:
        """The image's bytes. Raises BadImage if it is not base64."""
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
    """An image at a URL."""

    url: str

    @property
    def name(self) -> str:
        return unquote(PurePosixPath(urlsplit(self.url).path).name)


@dataclass(frozen=True, slots=True)
class Sample:
    """One of the shipped photographs."""

    name: str


NewImage = File | Base64 | Link
# A UUID is the id of an image or upload of the workspace.
ImageInput = NewImage | Sample | UUID


def from_text(text: str) -> Base64 | Link:
    """A URL, or else base64. Long texts are written to disk: do not call this on the event loop."""
    if text[:8].lower().startswith(("https://", "http://")):
        return Link(text)
    if len(text) <= _IN_MEMORY:
        return Base64(io.BytesIO(text.encode()))
    content = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the submission)
    content.write(text.encode())
    return Base64(content)
