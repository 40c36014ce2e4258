"""Before a run, the composer says if the transparency of the image would be lost."""

from __future__ import annotations

import io

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture

from editor.access.actor import Actor
from editor.models import Image
from editor.operations import images
from tests.factories import make_actor, make_provider_key, make_workspace, photo
from tests.web.requests import HTMX, signed_in
from tests.web.rows import add_image

pytestmark = pytest.mark.django_db

LOST = "does not keep transparency"


@pytest.fixture
def actor() -> Actor:
    for provider in ("bfl", "openai"):
        make_provider_key(workspace=None, provider=provider)
    return make_actor()


@pytest.fixture
def client(actor: Actor) -> Client:
    return signed_in(actor.user)


def cut_out(alpha: int = 0) -> bytes:
    """A small PNG of this opacity."""
    file = io.BytesIO()
    Picture.new("RGBA", (64, 48), (200, 40, 40, alpha)).save(file, "PNG")
    return file.getvalue()


def quote(client: Client, actor: Actor, image: Image | None, **fields: str) -> str:
    data = {**fields, "images": [str(image.pk)] if image else []}
    response = client.post(reverse("quote", args=[actor.workspace.slug]), data, headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("content", "has_alpha"),
    [(cut_out(), True), (cut_out(254), True), (cut_out(255), False), (photo(format="JPEG"), False)],
)
def test_an_image_has_alpha_if_anything_in_it_is_transparent(
    actor: Actor, content: bytes, has_alpha: bool
) -> None:
    image = images.upload(actor=actor, content=content, name="photo.png")
    assert Image.objects.get(pk=image.pk).has_alpha is has_alpha
    assert image.may_have_alpha is has_alpha


def test_a_png_from_before_this_was_recorded_may_have_alpha() -> None:
    assert add_image(make_workspace()).may_have_alpha


def test_a_model_that_loses_it_is_named_with_models_that_keep_it(actor: Actor, client: Client) -> None:
    image = images.upload(actor=actor, content=cut_out(), name="logo.png")
    part = quote(client, actor, image)
    assert f"FLUX.1 Kontext [pro] {LOST}" in part
    assert 'commandfor="model-openai/gpt-image-2.6-flare">GPT Image 2.6 Flare' in part
    assert "[max] ·" not in part
    page = client.get(reverse("studio_version", args=[actor.workspace.slug, image.pk])).content.decode()
    assert LOST in page


@pytest.mark.parametrize("fields", [{"model": "openai/gpt-image-2.6-flare", "outputFormat": "webp"}, {}])
def test_nothing_is_said_where_nothing_is_lost(actor: Actor, client: Client, fields: dict[str, str]) -> None:
    content = cut_out() if fields else cut_out(255)
    image = images.upload(actor=actor, content=content, name="logo.png")
    assert "transparen" not in quote(client, actor, image, **fields)
    assert "transparen" not in quote(client, actor, None, **fields)


def test_a_chosen_format_without_transparency_is_said(actor: Actor, client: Client) -> None:
    image = images.upload(actor=actor, content=cut_out(), name="logo.png")
    fields = {"model": "openai/gpt-image-2.6-flare"}
    assert "JPEG has no transparency" in quote(client, actor, image, **fields, outputFormat="jpeg")
    assert "transparen" not in quote(client, actor, image, **fields, outputFormat="match")


def test_the_sandbox_keeps_it() -> None:
    actor = make_actor()
    image = images.upload(actor=actor, content=cut_out(), name="logo.png")
    assert "transparen" not in quote(signed_in(actor.user), actor, image)


def test_an_image_of_another_workspace_is_not_looked_at(actor: Actor, client: Client) -> None:
    other = make_actor(name="Rivals")
    image = images.upload(actor=other, content=cut_out(), name="logo.png")
    assert "transparen" not in quote(client, actor, image)
