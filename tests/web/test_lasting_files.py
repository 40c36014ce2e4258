"""Images served by lasting links."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from editor.access.actor import Actor
from editor.media import links, store
from editor.models import Image
from editor.operations import trash
from tests.emulators import s3
from tests.factories import make_actor, make_image
from tests.operations.upload_files import announce, claim, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def image(actor: Actor) -> Image:
    return make_image(actor)


def test_a_link_shows_the_image_to_whoever_has_it(image: Image) -> None:
    response = Client().get(links.sign_lasting(image.id))
    assert response.status_code == 200
    assert response.content == store.read(image.storage_name)
    assert response["Content-Type"] == "image/png"
    assert response["Content-Disposition"] == "inline"


def test_other_sites_may_show_and_read_it_but_no_browser_runs_it(image: Image) -> None:
    response = Client().get(links.sign_lasting(image.id))
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Cache-Control"] == "private, max-age=60"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Set-Cookie" not in response


def test_other_sites_can_read_every_response(image: Image) -> None:
    url = links.sign_lasting(image.id)
    kept = {"If-None-Match": Client().get(url)["ETag"]}
    for response, status in (
        (Client().get(url, headers=kept), 304),
        (Client().get(url, headers={"Range": "bytes=0-9"}), 206),
        (Client().get(url, headers={"Range": "bytes=9999999-"}), 416),
        (Client().get(url + "x"), 404),
        (Client().post(url), 405),
    ):
        assert (response.status_code, response["Access-Control-Allow-Origin"]) == (status, "*")


def test_a_bucket_that_does_not_respond_is_explained(image: Image, settings: Settings) -> None:
    with s3.unreachable_bucket() as bucket:
        bucket.use(settings)
        response = Client().get(links.sign_lasting(image.id))
    assert response.status_code == 503
    assert "storage does not respond" in response.content.decode()
    assert response["Retry-After"] == "60"
    assert response["Access-Control-Allow-Origin"] == "*"


def test_thumbnails_are_webp(image: Image) -> None:
    response = Client().get(links.sign_lasting(image.id, "160"))
    assert response["Content-Type"] == "image/webp"
    assert response.content[8:12] == b"WEBP"


def test_an_image_is_not_found_while_it_is_in_the_trash(actor: Actor, image: Image) -> None:
    url = links.sign_lasting(image.id)
    trash.discard(actor=actor, images=[image])
    assert Client().get(url).status_code == 404
    trash.restore(actor=actor, images=[image])
    assert Client().get(url).status_code == 200
    Image.objects.update(trashed_at=timezone.now(), purged_at=timezone.now())
    assert Client().get(url).status_code == 404


def test_a_changed_link_is_not_found(image: Image) -> None:
    good, other = links.sign_lasting(image.id), links.sign_lasting(make_image(make_actor(name="Other")).id)
    mixed = good.rpartition(".")[0] + "." + other.rpartition(".")[2]
    for url in (good[:-1], good + "x", mixed, f"/i/{image.id}", "/i/%00", "/i/%ff%fe", f"/i/{'x' * 5000}"):
        response = Client().get(url)
        assert response.status_code == 404, url
        assert "max-age" not in response.get("Cache-Control", "")


def test_other_methods_are_refused(image: Image) -> None:
    assert Client().post(links.sign_lasting(image.id)).status_code == 405
    assert Client().head(links.sign_lasting(image.id)).content == b""


@pytest.mark.usefixtures("committed")
def test_an_upload_is_not_shown_before_its_first_use(actor: Actor) -> None:
    ticket = announce(actor)
    path = urlsplit(ticket.public_url).path
    assert Client().get(path).status_code == 404
    send(ticket, store.read(make_image(actor).storage_name))
    assert Client().get(path).status_code == 404
    claim(actor, ticket.image_id)
    assert Client().get(path).status_code == 200
