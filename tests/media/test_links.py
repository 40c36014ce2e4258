"""Signed links: the same all day, invalid after two, tamper-proof."""

from __future__ import annotations

import string
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.core import signing
from django.http import HttpResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from editor.errors import NotFound
from editor.media import links
from editor.media.links import Link, response_headers, sign, verify

IMAGE = uuid.UUID("ab111111-2222-4333-8444-666666666666")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 5, 4, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
LAST_MOMENT = timedelta(days=1) - timedelta(microseconds=1)


def token(image_id: uuid.UUID = IMAGE, variant: str = "full", *, download: bool = False) -> str:
    return sign(image_id, variant, download=download, now=NOON).removeprefix("/files/")


@pytest.mark.parametrize("variant", ["full", "160", "512", "1280"])
@pytest.mark.parametrize("download", [False, True])
def test_a_link_contains_what_it_was_signed_for(variant: str, download: bool) -> None:
    link = verify(token(variant=variant, download=download), now=NOON)

    assert link == Link(IMAGE, variant, download, datetime(2026, 5, 6, tzinfo=UTC))


@given(st.uuids(), st.sampled_from(links.VARIANTS), st.booleans(), MOMENTS)
def test_every_link_is_valid_for_one_to_two_days(
    image_id: uuid.UUID, variant: str, download: bool, now: datetime
) -> None:
    link = verify(sign(image_id, variant, download=download, now=now).removeprefix("/files/"), now=now)

    assert (link.image_id, link.variant, link.download) == (image_id, variant, download)
    assert timedelta(days=1) < link.expires_at - now <= timedelta(days=2)


def test_a_link_is_short_and_needs_no_escaping() -> None:
    assert len(sign(IMAGE, "1280", download=True, now=NOON)) < 95
    assert set(token()) <= set(string.ascii_letters + string.digits + "-_.")


def test_a_link_is_the_same_all_day_and_another_the_next() -> None:
    of_the_day = sign(IMAGE, now=MIDNIGHT)

    assert sign(IMAGE, now=NOON) == of_the_day
    assert sign(IMAGE, now=MIDNIGHT + LAST_MOMENT) == of_the_day
    assert sign(IMAGE, now=MIDNIGHT + timedelta(days=1)) != of_the_day


def test_other_images_variants_and_downloads_have_other_links() -> None:
    assert len({token(), token(uuid.uuid4()), token(variant="160"), token(download=True)}) == 4


def test_the_default_time_is_now() -> None:
    link = verify(sign(IMAGE).removeprefix("/files/"))

    assert timedelta(0) < link.expires_at - datetime.now(UTC) <= timedelta(days=2)


def test_an_expired_link_is_not_found() -> None:
    expiry = datetime(2026, 5, 6, tzinfo=UTC)

    assert verify(token(), now=expiry - timedelta(microseconds=1)).image_id == IMAGE
    with pytest.raises(NotFound, match="expired"):
        verify(token(), now=expiry)


def test_an_unknown_variant_cannot_be_signed() -> None:
    with pytest.raises(ValueError, match="no variant '9999'"):
        sign(IMAGE, "9999")


@given(st.integers(0, 200), st.characters())
@settings(max_examples=200)
def test_a_link_with_one_character_changed_is_not_found(position: int, character: str) -> None:
    good = token()
    at = position % len(good)
    forged = good[:at] + character + good[at + 1 :]
    if forged == good:
        return

    with pytest.raises(NotFound):
        verify(forged, now=NOON)


@given(st.text())
def test_any_text_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        verify(text, now=NOON)


@given(st.integers(0, 100))
def test_a_truncated_link_is_not_found(length: int) -> None:
    with pytest.raises(NotFound):
        verify(token()[: length % len(token())], now=NOON)


def test_parts_of_two_links_do_not_make_a_third() -> None:
    small, full = token(variant="160"), token()

    with pytest.raises(NotFound):
        verify(small.rpartition(".")[0] + "." + full.rpartition(".")[2], now=NOON)


@pytest.mark.parametrize("salt", [None, "editor.media", "password_reset"])
def test_a_token_signed_for_another_purpose_is_not_found(salt: str | None) -> None:
    value = token().rpartition(".")[0]

    with pytest.raises(NotFound):
        verify(signing.Signer(salt=salt, sep=".").sign(value), now=NOON)


def test_a_link_signed_by_another_installation_is_not_found(settings: Settings) -> None:
    good = token()
    settings.SECRET_KEY = "another one"

    with pytest.raises(NotFound):
        verify(good, now=NOON)


def test_links_stay_valid_while_the_secret_is_rotated(settings: Settings) -> None:
    good = token()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the new one"

    assert verify(good, now=NOON).image_id == IMAGE


def test_headers_of_an_inline_image() -> None:
    assert response_headers("image/png", 90_000.9) == {
        "Content-Type": "image/png",
        "Content-Disposition": "inline",
        "Cache-Control": "private, max-age=60",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def test_an_expired_image_is_not_cached() -> None:
    assert response_headers("image/png", 5.9)["Cache-Control"] == "private, max-age=5"
    assert response_headers("image/png", -5)["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("holiday.jpg", 'attachment; filename="holiday.jpg"'),
        ("holiday", 'attachment; filename="holiday.jpg"'),
        ("page.html", 'attachment; filename="page.jpg"'),
        ("../../etc/passwd", 'attachment; filename="passwd.jpg"'),
        ("C:\\pictures\\me.png", 'attachment; filename="me.jpg"'),
        ('a"b<c>|d.png', 'attachment; filename="a_b_c__d.jpg"'),
        ("one\r\nSet-Cookie: x=1.png", 'attachment; filename="oneSet-Cookie_ x=1.jpg"'),
        ("gpj\u202e.exe", 'attachment; filename="gpj.jpg"'),
        ("été.png", "attachment; filename*=utf-8''%C3%A9t%C3%A9.jpg"),
        ("", 'attachment; filename="image.jpg"'),
        (" . ", 'attachment; filename="image.jpg"'),
        (".htaccess", 'attachment; filename="htaccess.jpg"'),
        ("x" * 300, f'attachment; filename="{"x" * 100}.jpg"'),
        ("हि" * 100, f"attachment; filename*=utf-8''{quote('हि' * 40)}.jpg"),
    ],
)
def test_a_download_gets_a_safe_name_with_the_right_extension(name: str, disposition: str) -> None:
    assert response_headers("image/jpeg", 60, name)["Content-Disposition"] == disposition


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_name_gives_valid_headers(name: str) -> None:
    headers = response_headers("image/webp", 60, name)

    assert HttpResponse(headers=headers)["Content-Disposition"].startswith("attachment; filename")
