"""The forms in which images are sent."""

from __future__ import annotations

import io
import tempfile

import pytest

from editor.media import limits
from editor.media.inputs import Base64, File, Link, from_text
from editor.media.limits import BadImage

LONG = 2 * 1024 * 1024  # bytes; in base64, more than is kept in memory


def test_a_file_that_is_too_long_for_an_image_is_not_read() -> None:
    with tempfile.TemporaryFile() as long:
        long.truncate(limits.MAX_BYTES + 1)
        with pytest.raises(BadImage):
            File(name="a", content=long).read()
        assert long.tell() == limits.MAX_BYTES + 1


def test_a_file_can_be_read_twice() -> None:
    file = File(name="a", content=io.BytesIO(b"123"))
    assert file.read() == file.read() == b"123"


@pytest.mark.parametrize("text", ["Ynl0ZXM=", "data:image/png;base64,Ynl0ZXM=", "Ynl0\nZXM=\n"])
def test_base64_is_decoded_also_from_a_data_uri(text: str) -> None:
    image = from_text(text)
    assert isinstance(image, Base64)
    assert image.read() == image.read() == b"bytes"


def test_long_base64_is_decoded_too() -> None:
    image = from_text("AAAA" * (LONG // 3))
    assert isinstance(image, Base64)
    with image.content:
        assert image.read() == bytes(LONG // 3 * 3)


@pytest.mark.parametrize("text", ["%", "Ynl0ZXM", "é", "Yn-_"])
def test_invalid_base64_is_refused(text: str) -> None:
    image = from_text(text)
    assert isinstance(image, Base64)
    with pytest.raises(BadImage, match="base64"):
        image.read()


@pytest.mark.parametrize(
    "url", ["https://x.example/a%20b.png", "http://x.example", "HTTPS://x.example/?c.png"]
)
def test_a_url_is_not_base64(url: str) -> None:
    assert from_text(url) == Link(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://x.example/1/a%20b.png?c=d", "a b.png"), ("https://x.example/", ""), ("https://x.example", "")],
)
def test_a_linked_image_is_named_after_the_end_of_its_url(url: str, name: str) -> None:
    assert Link(url).name == name
