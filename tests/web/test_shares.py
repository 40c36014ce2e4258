"""Share links: creating them, the pages they open, and how they end."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.media import store
from editor.models import Image, Role, ShareLink, Workspace
from editor.operations import shares
from tests.factories import make_actor, make_image, make_member, make_workspace
from tests.web.requests import HTMX, body, signed_in
from tests.web.rows import add_completed, add_image

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


@pytest.fixture
def image(workspace: Workspace) -> Image:
    return make_image(make_actor(workspace))


def dialog(image: Image) -> str:
    return reverse("shares", args=[image.workspace.slug, image.pk])


def make_link(client: Client, image: Image, days: str = "7", **fields: str) -> str:
    """The path of a new link."""
    response = client.post(dialog(image), {"days": days, **fields})
    found = re.search(
        r'<code class="secret" id="new-share-url">http://testserver(/s/[^<]+)</code>', body(response)
    )
    assert found
    return html.unescape(found[1])


def test_a_link_starts_with_the_base_url(client: Client, image: Image, settings: Settings) -> None:
    settings.BASE_URL = "https://images.example.com"
    response = client.post(dialog(image), {"days": "7"}, headers={"host": "testserver:4444"})
    assert '<code class="secret" id="new-share-url">https://images.example.com/s/' in body(response)


def test_a_link_is_shown_once_and_listed_until_it_ends(client: Client, image: Image) -> None:
    path = make_link(client, image)
    again = client.get(dialog(image))
    assert path not in body(again)
    assert "Active links" in body(again)
    assert again["Cache-Control"] == "private, no-store"
    ShareLink.objects.update(expires_at=timezone.now(), created_at=timezone.now() - timedelta(days=7))
    assert "This image is not shared" in body(client.get(dialog(image)))


def test_over_htmx_it_is_a_dialogs_content(client: Client, image: Image) -> None:
    part = body(client.get(dialog(image), headers=HTMX))
    assert "<html" not in part
    assert 'hx-target="#dialog"' in part
    assert 'commandfor="dialog"' not in body(client.get(dialog(image)))


@pytest.mark.parametrize("days", ["", "x", "0", "2", "365", "-1", "9" * 40, "\u0667"])
def test_only_the_offered_lifetimes_are_accepted(client: Client, image: Image, days: str) -> None:
    assert client.post(dialog(image), {"days": days}).status_code == 400
    assert not ShareLink.objects.exists()


def test_whoever_has_the_link_sees_the_image_and_can_save_it(client: Client, image: Image) -> None:
    path = make_link(client, image)
    stranger = Client()
    assert stranger.get(path).status_code == 200
    shown = stranger.get(f"{path}1280/")
    assert shown["Content-Type"] == "image/webp"
    saved = stranger.get(f"{path}full/")
    assert saved.content == store.read(image.storage_name)
    assert saved["Content-Disposition"] == 'attachment; filename="image.png"'


def test_the_page_reveals_nothing_but_the_image(client: Client, image: Image, workspace: Workspace) -> None:
    path = make_link(client, image)
    signed = client.get(path)
    for response in (Client().get(path), signed):
        page = body(response)
        for secret in (
            str(image.pk),
            image.pk.hex,
            str(workspace.pk),
            workspace.name,
            workspace.slug,
            "/files/",
        ):
            assert secret not in page
        assert "photo.png" not in page


@pytest.mark.parametrize("end", ["", "1280/", "full/"])
def test_it_is_hidden_from_caches_search_engines_and_other_sites(
    client: Client, image: Image, end: str
) -> None:
    response = Client().get(make_link(client, image) + end)
    assert response["Cache-Control"] == ("private, no-cache" if end else "private, no-store")
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "no-referrer"


def revoke(client: Client, share: ShareLink, **headers: str) -> Any:
    url = reverse("share_revoke", args=[share.image.workspace.slug, share.pk])
    return client.post(url, headers=headers)


def assert_closed(path: str) -> None:
    page = Client().get(path)
    assert page.status_code == 404
    assert "This link no longer works" in body(page)
    for end in ("1280/", "full/"):
        # Also for a browser that revalidates its cached copy.
        gone = Client().get(path + end, headers={"If-None-Match": "*"})
        assert (gone.status_code, gone["Cache-Control"]) == (404, "private, no-store")


def test_a_revoked_link_is_closed_at_once(client: Client, image: Image) -> None:
    path = make_link(client, image)
    assert revoke(client, ShareLink.objects.get())["Location"] == dialog(image)
    assert_closed(path)


def test_over_htmx_revoking_shows_the_remaining_links(client: Client, image: Image) -> None:
    make_link(client, image)
    part = revoke(client, ShareLink.objects.get(), **HTMX)
    assert "This image is not shared" in body(part)


def test_an_expired_link_is_closed(client: Client, image: Image) -> None:
    path = make_link(client, image)
    ShareLink.objects.update(expires_at=timezone.now(), created_at=timezone.now() - timedelta(days=7))
    assert_closed(path)


def test_a_link_to_an_image_in_the_trash_is_closed(client: Client, image: Image) -> None:
    path = make_link(client, image)
    Image.objects.filter(pk=image.pk).update(trashed_at=timezone.now())
    assert_closed(path)


@pytest.mark.parametrize("path", ["/s/x/", "/s/%00/", "/s/..%2f/", f"/s/{'x' * 3000}/"])
def test_an_unknown_link_is_closed(path: str) -> None:
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("variant", ["0", "161", "original", "512x"])
def test_an_unknown_size_does_not_exist(client: Client, image: Image, variant: str) -> None:
    assert Client().get(f"{make_link(client, image)}{variant}/").status_code == 404


def test_neither_id_nor_hash_opens_an_image(image: Image) -> None:
    share, _ = shares.create(actor=make_actor(image.workspace), image=image, days=1)
    for guess in (image.pk, image.pk.hex, share.pk, share.pk.hex, share.token_hash):
        assert Client().get(f"/s/{guess}/").status_code == 404


def test_a_viewer_sees_links_and_changes_none(client: Client, image: Image) -> None:
    make_link(client, image)
    viewer = signed_in(make_member(image.workspace, role=Role.VIEWER))
    page = body(viewer.get(dialog(image)))
    assert "Active links" in page
    assert "Revoke" not in page
    assert "Create link" not in page
    assert viewer.post(dialog(image), {"days": "7"}).status_code == 403
    assert revoke(viewer, ShareLink.objects.get()).status_code == 403


def test_a_link_to_anothers_image_cannot_be_revoked(client: Client) -> None:
    rivals = make_workspace(name="Rivals")
    share, _ = shares.create(actor=make_actor(rivals), image=add_image(rivals), days=1)
    url = reverse("share_revoke", args=["acme-studio", share.pk])
    assert client.post(url).status_code == 404
    share.refresh_from_db()
    assert share.is_live


def edited(image: Image) -> Image:
    """An edit of the image; its own file is not stored."""
    return add_completed(image.workspace, image, version=2, user=image.workspace.members.get())


def meta(page: str, name: str) -> str:
    found = re.search(rf'<meta (?:property|name)="{name}" content="([^"]*)">', page)
    return html.unescape(found[1]) if found else ""


def test_the_new_link_has_a_copy_button(client: Client, image: Image) -> None:
    page = body(client.post(dialog(image), {"days": "7"}, headers=HTMX))
    assert 'command="--copy" commandfor="new-share-url"' in page


def test_the_page_has_its_title_and_a_preview_for_chats(
    client: Client, image: Image, settings: Settings
) -> None:
    settings.BASE_URL = "https://images.example.com"
    response = client.post(dialog(image), {"days": "7", "title": '  Spring  "menu" <1> '})
    path = re.findall(r"https://images.example.com(/s/[^<]+)<", body(response))[0]
    page = body(Client().get(path))
    assert '<h1 dir="auto">Spring &quot;menu&quot; &lt;1&gt;</h1>' in page
    assert meta(page, "og:title") == 'Spring "menu" <1>'
    assert meta(page, "og:url") == f"https://images.example.com{path}"
    assert meta(page, "og:image") == f"https://images.example.com{path}1280/"
    assert (meta(page, "og:image:width"), meta(page, "og:image:height")) == ("96", "64")
    assert "works until" in meta(page, "og:description")
    assert "Spring" in body(client.get(dialog(image)))


def test_an_ended_link_has_no_preview(client: Client, image: Image) -> None:
    path = make_link(client, image, title="Secret menu")
    preview = Client().get(f"{path}1280/")
    assert preview["Cache-Control"] == "private, no-cache"
    ShareLink.objects.update(expires_at=timezone.now(), created_at=timezone.now() - timedelta(days=7))
    page = body(Client().get(path))
    assert "og:" not in page
    assert "Secret menu" not in page
    assert Client().get(f"{path}1280/").status_code == 404


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("\u202egpj.exe", "gpj.exe"),
        ("a\0b\x1b[31m\u2067c", "a b [31m c"),
        ("\u200b \u2060", "Shared image"),
        ("👩\u200d🎨 नी\u200cल", "👩\u200d🎨 नी\u200cल"),
    ],
)
def test_a_title_has_no_characters_that_deceive(client: Client, image: Image, title: str, shown: str) -> None:
    """A chat would show what follows them in the wrong order. Emoji and many scripts need their joiners."""
    assert meta(body(client.get(make_link(client, image, title=title))), "og:title") == shown


def test_a_title_that_is_too_long_is_refused(client: Client, image: Image) -> None:
    assert client.post(dialog(image), {"days": "7", "title": "x" * 101}).status_code == 400
    assert not ShareLink.objects.exists()


def test_before_and_after_are_shown_only_if_chosen(client: Client, image: Image) -> None:
    result = edited(image)
    alone, both = make_link(client, result), make_link(client, result, before="on")
    assert "<before-after>" not in body(Client().get(alone))
    assert Client().get(f"{alone}before/1280/").status_code == 404
    assert "<before-after>" in body(Client().get(both))
    assert Client().get(f"{both}before/full/").content == store.read(image.storage_name)
    assert "with before and after" in body(client.get(dialog(result)))


def test_a_before_of_another_shape_is_beside_the_result(client: Client, image: Image) -> None:
    result = edited(image)
    Image.objects.filter(pk=result.pk).update(width=64, height=96)
    page = body(Client().get(make_link(client, result, before="on")))
    assert "<before-after>" not in page
    assert page.count("<figure>") == 2


def test_a_before_in_the_trash_is_no_longer_shown(client: Client, image: Image) -> None:
    result = edited(image)
    both = make_link(client, result, before="on")
    Image.objects.filter(pk=image.pk).update(trashed_at=timezone.now())
    assert "<before-after>" not in body(Client().get(both))
    assert Client().get(f"{both}before/1280/").status_code == 404
    assert "Also show the image before" not in body(client.get(dialog(result)))
    assert client.post(dialog(result), {"days": "7", "before": "on"}).status_code == 400


def test_an_upload_has_no_before(client: Client, image: Image) -> None:
    assert "Also show the image before" not in body(client.get(dialog(image)))
    assert client.post(dialog(image), {"days": "7", "before": "on"}).status_code == 400
