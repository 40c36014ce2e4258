"""Uploads: accepted, or refused with a helpful message."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture

from editor.media.limits import MAX_BYTES
from editor.models import Image, Workspace
from tests.factories import make_workspace, photo
from tests.web.requests import HTMX, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def send(
    client: Client,
    content: bytes,
    *,
    name: str = "photo.png",
    content_type: str = "image/png",
    **options: str,
) -> Any:
    url = reverse("upload", args=["acme-studio"], query=options or None)
    return client.post(url, {"files": SimpleUploadedFile(name, content, content_type)}, headers=HTMX)


def test_a_valid_file_is_shown_on_stage(workspace: Workspace, client: Client) -> None:
    response = send(client, photo())
    image = Image.objects.get()
    assert (image.kind, image.width, image.height, image.original_name) == ("source", 96, 64, "photo.png")
    assert response.status_code == 200
    assert response["HX-Push-Url"] == reverse("studio_version", args=[workspace.slug, image.id])
    assert f'id="stage-{image.id}"' in response.content.decode()


def test_without_script_the_response_redirects_to_the_images_page(
    workspace: Workspace, client: Client
) -> None:
    file = SimpleUploadedFile("photo.png", photo(), "image/png")
    response = client.post(reverse("upload", args=[workspace.slug]), {"files": file})
    assert response["Location"] == reverse("studio_version", args=[workspace.slug, Image.objects.get().id])


def test_a_reference_becomes_a_chip(workspace: Workspace, client: Client) -> None:
    response = send(client, photo(), **{"as": "reference"})
    image = Image.objects.get()
    assert image.kind == "reference"
    assert f'name="images" value="{image.id}"' in response.content.decode()
    assert "stage-" not in response.content.decode()


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "GIF"])
def test_other_formats_are_accepted(workspace: Workspace, client: Client, format: str) -> None:
    response = send(client, photo(format=format), content_type=f"image/{format.lower()}")
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("cat.jpg", "image/jpeg"), ("cat", "text/plain"), ("cat.png", "image/jpg"), ("cat.webp", "")],
)
def test_the_bytes_decide_whatever_the_file_is_called(
    workspace: Workspace, client: Client, name: str, content_type: str
) -> None:
    assert send(client, photo(format="WEBP"), name=name, content_type=content_type).status_code == 200
    assert Image.objects.get().content_type == "image/webp"


def large() -> bytes:
    """A photograph of 26 megapixels."""
    file = io.BytesIO()
    Picture.new("RGB", (6_500, 4_000), "navy").save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"as": "reference"}])
def test_a_photograph_that_is_made_smaller_comes_with_a_word_about_it(
    workspace: Workspace, client: Client, options: dict[str, str]
) -> None:
    text = send(client, large(), **options).content.decode()
    image = Image.objects.get()
    word = f"your file has 6500 × 4000 pixels, the image here {image.width} × {image.height}."
    assert image.width * image.height <= 25_000_000
    assert 'hx-target="#toasts"' in text
    assert text.count(word) == 2  # in the toast, and for screen readers


def test_without_script_the_word_is_on_the_next_page(workspace: Workspace, client: Client) -> None:
    file = SimpleUploadedFile("photo.jpg", large(), "image/jpeg")
    response = client.post(reverse("upload", args=[workspace.slug]), {"files": file}, follow=True)
    assert "your file has 6500 × 4000 pixels" in response.content.decode()


def test_an_image_that_keeps_its_size_comes_without_a_word(workspace: Workspace, client: Client) -> None:
    assert "Made smaller" not in send(client, photo()).content.decode()


def test_a_photograph_of_an_iphone_is_accepted(workspace: Workspace, client: Client) -> None:
    content = (Path(__file__).parents[1] / "media" / "files" / "plain.heic").read_bytes()
    assert send(client, content, name="IMG_0001.HEIC", content_type="image/heic").status_code == 200
    assert Image.objects.get().content_type == "image/jpeg"


def huge() -> bytes:
    file = io.BytesIO()
    Picture.new("1", (66_000, 10)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "content_type", "message"),
    [
        (b"", "image/png", "empty"),
        (b"hello", "text/plain", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "SVG images are not supported"),
        (photo()[:60], "image/png", "damaged"),
        (huge(), "image/png", "65500"),
    ],
    ids=["empty", "text", "svg", "truncated", "too wide"],
)
def test_an_invalid_file_is_refused_with_a_message(
    workspace: Workspace, client: Client, content: bytes, content_type: str, message: str
) -> None:
    response = send(client, content, content_type=content_type)
    text = response.content.decode()
    assert response.status_code == 400
    assert '<p class="problem">' in text
    assert message in text.replace(",", "")
    assert not Image.objects.exists()


def test_a_file_of_more_than_25_mb_is_refused(workspace: Workspace, client: Client) -> None:
    response = send(client, photo() + bytes(MAX_BYTES), name="<b>wide</b>.png")
    assert response.status_code == 400
    assert "is larger than 25 MB" in response.content.decode()
    assert "<b>" not in response.content.decode()


@pytest.mark.parametrize("data", [{}, {"files": "not a file"}, {"other": "x"}])
def test_a_missing_file_is_reported(workspace: Workspace, client: Client, data: dict[str, str]) -> None:
    response = client.post(reverse("upload", args=[workspace.slug]), data, headers=HTMX)
    assert response.status_code == 400
    assert "No file was received" in response.content.decode()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("..\\..\\evil.png", "evil.png"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("x" * 400 + ".png", "x" * 251 + ".png"),
    ],
)
def test_file_names_are_sanitised(workspace: Workspace, client: Client, sent: str, kept: str) -> None:
    assert send(client, photo(), name=sent).status_code == 200
    image = Image.objects.get()
    assert image.original_name == kept
    assert kept not in image.storage_name
