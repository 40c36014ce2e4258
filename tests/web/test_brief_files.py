"""Images served by short-lived links."""

from __future__ import annotations

import pytest
from django.test import Client

from editor.access.actor import Actor
from editor.media import links, store
from editor.models import Image
from editor.operations import trash
from tests.factories import make_actor, make_image

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def image(actor: Actor) -> Image:
    return make_image(actor)


def link(image: Image, seconds: int = 600) -> str:
    return links.sign_brief(image.id, image.content_type, seconds=seconds)


def test_a_link_shows_the_image_to_whoever_has_it(image: Image) -> None:
    response = Client().get(link(image))
    assert response.status_code == 200
    assert response.content == store.read(image.storage_name)
    assert response["Content-Type"] == "image/png"


def test_other_sites_may_show_it_but_no_browser_runs_it(image: Image) -> None:
    response = Client().get(link(image))
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Set-Cookie" not in response
    assert response["Cache-Control"] == "private, max-age=60"


def test_an_expired_link_is_not_found(image: Image) -> None:
    assert Client().get(link(image, seconds=0)).status_code == 404


def test_an_image_in_the_trash_is_not_found(actor: Actor, image: Image) -> None:
    url = link(image)
    trash.discard(actor=actor, images=[image])
    assert Client().get(url).status_code == 404


def test_other_methods_are_refused(image: Image) -> None:
    assert Client().post(link(image)).status_code == 405
    assert Client().head(link(image)).content == b""
