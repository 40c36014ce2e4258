"""Request bodies of Wiro's clients: JSON, forms, forms with files, and JSON labelled as a form.

Wiro's own samples send JSON with a multipart header without a boundary, and one of them, run by a
shell, loses the quotes around its value. The result is one list of names and values, in their
original order.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpRequest
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from editor.compat.wiro.profile import OTHER, Refused
from editor.gateway.strict_json import check_text, read_object
from editor.media.inputs import File

LONGEST_TEXT = 2 * 1024 * 1024  # bytes: all of a body except its files
MOST_PARTS = 100
_IN_MEMORY = 1024 * 1024  # bytes of one file
_CHUNK = 64 * 1024

# `{ "tasktoken": eDcCm5yy, }` and nothing beyond that: a flat object of names and plain words.
_LONGEST_LOOSE = 1000  # bytes
_WORD = r"[A-Za-z0-9_-]{1,80}"
_PAIR = re.compile(rf"""\s*"({_WORD})"\s*:\s*(?:"({_WORD})"|'({_WORD})'|({_WORD}))\s*(?:,|(?=\}}))""")


Fields = list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Body:
    """Names and values in order; values are strings, Files or JSON values.

    digest  SHA-256 of the raw bytes
    """

    fields: Fields
    digest: str

    def text(self, name: str) -> str:
        """The first value of that name as text; "" if there is none or it is not text."""
        value = next((value for each, value in self.fields if each == name), None)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return ""
        return str(value).strip()

    def close(self) -> None:
        for _, value in self.fields:
            if isinstance(value, File):
                value.content.close()


def read(request: HttpRequest) -> Body:
    """The request's body. Blocks while reading the spooled file. Raises Refused."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    digest = hashlib.sha256()
    try:
        if kind == b"multipart/form-data" and boundary:
            fields = _Parts(boundary).read(_chunks(request, digest))
        else:
            raw = request.read(LONGEST_TEXT + 1)
            if len(raw) > LONGEST_TEXT:
                raise ValueError("too long")
            digest.update(raw)
            fields = parse(raw)
    except (ValueError, RecursionError, FormParserError):
        raise Refused(OTHER, "Request parameters are invalid.") from None
    return Body(fields=fields, digest=digest.hexdigest())


def parse(raw: bytes) -> Fields:
    """Parse a body without files: a JSON object, or else a form. Raises ValueError or RecursionError."""
    text = raw.decode().strip()
    if not text.startswith(("{", "[")):
        fields: Fields = list(
            parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARTS)
        )
        for name, value in fields:
            check_text([name, value])
        return fields
    try:
        return list(read_object(text).items())
    except ValueError:
        return _loose(text)


def _loose(text: str) -> Fields:
    """Parse a flat object whose quotes a shell removed. Raises ValueError for anything else."""
    if len(text) > _LONGEST_LOOSE or not text.startswith("{") or not text.endswith("}"):
        raise ValueError("no object")
    fields: Fields = []
    at = 1
    while match := _PAIR.match(text, at):
        fields.append((match[1], match[2] or match[3] or match[4]))
        at = match.end()
    if text[at:].strip() != "}" or len({name for name, _ in fields}) != len(fields):
        raise ValueError("no flat object")
    return fields


def _chunks(request: HttpRequest, digest: Any) -> Iterator[bytes]:
    while chunk := request.read(_CHUNK):
        digest.update(chunk)
        yield chunk


@dataclass(slots=True)
class _Part:
    """The part of a form that is being received."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: bytes = b""
    text: bytearray = field(default_factory=bytearray)
    file: File | None = None


class _Parts:
    """Parses a form with files. Large files are written to disk.

    The library's own FormParser has no limit on text, and leaves the files of a rejected form open.
    """

    def __init__(self, boundary: bytes) -> None:
        self._fields: Fields = []
        self._part = _Part()
        self._header, self._value = bytearray(), bytearray()
        self._text_left = LONGEST_TEXT
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    def read(self, chunks: Iterator[bytes]) -> Fields:
        """Raises ValueError or FormParserError; no file is left open then."""
        try:
            for chunk in chunks:
                self._parser.write(chunk)
            if not self._ended:
                raise ValueError("the form has no end")
        except BaseException:
            for file in [value for _, value in self._fields] + [self._part.file]:
                if isinstance(file, File):
                    with contextlib.suppress(OSError):
                        file.content.close()
            raise
        return self._fields

    def _begin(self) -> None:
        if len(self._fields) >= MOST_PARTS:
            raise ValueError("too many parts")
        self._part = _Part()

    def _header_end(self) -> None:
        self._part.headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise ValueError("a part without a name")
        self._part.name = options[b"name"]
        if b"filename" in options:
            spooled = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (closed with the body)
            self._part.file = File(name=options[b"filename"].decode(errors="replace"), content=spooled)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file:
            self._part.file.content.write(data[start:end])
            return
        self._text_left -= end - start
        if self._text_left < 0:
            raise ValueError("too much text")
        self._part.text.extend(data[start:end])

    def _end(self) -> None:
        name = self._part.name.decode()
        value: Any = self._part.file or bytes(self._part.text).decode()
        check_text([name, value])
        self._fields.append((name, value))
        self._part = _Part()

    def _finish(self) -> None:
        self._ended = True
