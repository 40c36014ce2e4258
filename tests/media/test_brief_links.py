"""Short-lived links: valid for some seconds, tamper-proof, and distinct from other kinds of links."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from editor.errors import NotFound
from editor.media import links
from editor.media.links import Link

IMAGE = uuid.UUID("ab111111-2222-4333-8444-666666666666")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def token(seconds: int = 600) -> str:
    path = links.sign_brief(IMAGE, "image/jpeg", seconds=seconds, now=NOON)
    return path.removeprefix("/results/").removesuffix("/sample.jpeg")


def test_a_link_names_the_image_and_its_type() -> None:
    assert links.verify_brief(token(), now=NOON) == Link(IMAGE, "full", False, NOON + timedelta(minutes=10))
    assert re.fullmatch(r"/results/[\w.-]+/sample\.png", links.sign_brief(IMAGE, "image/png", seconds=1))


def test_it_expires_to_the_second() -> None:
    links.verify_brief(token(), now=NOON + timedelta(seconds=599))
    with pytest.raises(NotFound, match="expired"):
        links.verify_brief(token(), now=NOON + timedelta(seconds=600))


@pytest.mark.parametrize("place", range(len(token())))
def test_no_character_of_it_can_be_changed(place: int) -> None:
    good = token()
    changed = good[:place] + ("B" if good[place] == "A" else "A") + good[place + 1 :]
    with pytest.raises(NotFound):
        links.verify_brief(changed, now=NOON)


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "é.b.c.d", "\ud800.b.c.d", "\0", "x" * 10_000])
def test_an_invalid_link_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        links.verify_brief(text)


def test_other_kinds_of_links_are_not_accepted() -> None:
    with pytest.raises(NotFound):
        links.verify_brief(links.sign(IMAGE, now=NOON).removeprefix("/files/"), now=NOON)
    with pytest.raises(NotFound):
        links.verify_brief(links.sign_lasting(IMAGE).removeprefix("/i/"), now=NOON)
    with pytest.raises(NotFound):
        links.verify(token(), now=NOON)
    with pytest.raises(NotFound):
        links.verify_lasting(token())
