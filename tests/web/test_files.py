"""Images served by signed links."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from editor.media import links, store
from editor.models import Image
from tests.factories import make_actor, make_image
from tests.web.rows import add_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def image() -> Image:
    return make_image(make_actor())


def test_a_link_shows_the_image_to_whoever_has_it(image: Image) -> None:
    response = Client().get(links.sign(image.id))
    assert response.status_code == 200
    assert response.content == store.read(image.storage_name)
    assert response["Content-Type"] == "image/png"
    assert response["Content-Disposition"] == "inline"


def test_no_browser_runs_or_shares_it(image: Image) -> None:
    response = Client().get(links.sign(image.id))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["Cache-Control"].startswith("private, max-age=")
    assert "Set-Cookie" not in response


@pytest.mark.parametrize("state", ["trashed", "purged", "removed"])
@pytest.mark.parametrize("variant", ["160", "512", "1280", "full"])
def test_an_unavailable_image_leaves_caches_within_a_minute(image: Image, variant: str, state: str) -> None:
    url = links.sign(image.id, variant)
    first = Client().get(url)
    assert first["Cache-Control"] == "private, max-age=60"
    again = Client().get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (again["ETag"], again["Cache-Control"]) == (first["ETag"], "private, max-age=60")
    now = timezone.now()
    match state:
        case "trashed":
            Image.objects.update(trashed_at=now)
        case "purged":
            Image.objects.update(trashed_at=now, purged_at=now)
        case "removed":
            image.delete()
    for headers in ({}, {"If-None-Match": first["ETag"]}, {"Range": "bytes=0-9"}):
        gone = Client().get(url, headers=headers)
        assert (gone.status_code, gone["Cache-Control"]) == (404, "private, no-store")


def test_a_restored_image_is_available_again(image: Image) -> None:
    url = links.sign(image.id)
    Image.objects.update(trashed_at=timezone.now())
    assert Client().get(url).status_code == 404
    Image.objects.update(trashed_at=None)
    assert Client().get(url).status_code == 200


@pytest.mark.parametrize("variant", ["160", "1280"])
def test_thumbnails_are_webp(image: Image, variant: str) -> None:
    response = Client().get(links.sign(image.id, variant))
    assert response["Content-Type"] == "image/webp"
    assert response.content[8:12] == b"WEBP"


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("Make it warmer, 24/7!", 'filename="make-it-warmer-24-7-v1.png"'),
        ("हिन्दी फोटो", f"filename*=utf-8''{quote('हिन्दी-फोटो-v1.png')}"),
        ("…", 'filename="image-v1.png"'),
    ],
)
def test_a_download_is_named_by_its_prompt(image: Image, prompt: str, name: str) -> None:
    result = add_result(image.workspace, prompt=prompt)
    Image.objects.filter(pk=result.pk).update(storage_name=f"{image.storage_name}-copy")
    store.save(f"{image.storage_name}-copy", store.read(image.storage_name), "image/png")
    response = Client().get(links.sign(result.id, download=True))
    assert response["Content-Disposition"] == f"attachment; {name}"


def test_a_download_of_an_upload_is_named_by_its_file(image: Image) -> None:
    response = Client().get(links.sign(image.id, download=True))
    assert response["Content-Disposition"] == 'attachment; filename="photo-original.png"'


def test_head_returns_headers_without_the_file(image: Image) -> None:
    response = Client().head(links.sign(image.id))
    assert response.status_code == 200
    assert response.content == b""
    assert response["Content-Type"] == "image/png"


def test_a_changed_or_expired_link_is_not_found(image: Image) -> None:
    good = links.sign(image.id)
    other = make_image(make_actor(name="Other"))
    old = links.sign(image.id, now=timezone.now() - timedelta(days=3))
    body = good.removeprefix("/files/").rpartition(".")[0]
    signature = links.sign(other.id).rpartition(".")[2]
    for url in (good[:-1], good + "x", old, f"/files/{body}.{signature}", f"/files/{image.id}"):
        assert Client().get(url).status_code == 404, url


@pytest.mark.parametrize(
    "token", ["x", "...", "%00", "%ff%fe", "a.b.c.d.e", "..%2f..%2fetc%2fpasswd", "x" * 5000]
)
def test_an_invalid_token_is_not_found(token: str) -> None:
    assert Client().get(f"/files/{token}").status_code == 404


def test_a_deleted_image_is_not_found(image: Image) -> None:
    url = links.sign(image.id)
    store.delete(image.storage_name)
    assert Client().get(url).status_code == 404
    image.delete()
    assert Client().get(url).status_code == 404


def test_other_methods_are_refused(image: Image) -> None:
    assert Client().post(links.sign(image.id)).status_code == 405
