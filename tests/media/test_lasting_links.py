"""Links for API clients: always the same, valid for as long as the image exists, and tamper-proof."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.errors import NotFound
from editor.media import links

IMAGE = uuid.UUID("ab111111-2222-4333-8444-666666666666")


def token(image_id: uuid.UUID = IMAGE, variant: str = "full") -> str:
    return links.sign_lasting(image_id, variant).removeprefix("/i/")


@given(st.uuids(), st.sampled_from(links.VARIANTS))
def test_a_link_contains_image_and_variant_and_needs_no_escaping(image_id: uuid.UUID, variant: str) -> None:
    link = links.sign_lasting(image_id, variant)

    assert links.verify_lasting(link.removeprefix("/i/")) == (image_id, variant)
    assert link == links.sign_lasting(image_id, variant)
    assert re.fullmatch(r"/i/[\w.-]{70,80}", link)


@pytest.mark.parametrize("place", range(len(token())))
def test_no_character_of_it_can_be_changed(place: int) -> None:
    good = token()
    changed = good[:place] + ("B" if good[place] == "A" else "A") + good[place + 1 :]

    with pytest.raises(NotFound):
        links.verify_lasting(changed)


@pytest.mark.parametrize("text", ["", ".", "a.b", "a.b.c", "é.b.c", "\ud800.b.c", "\0", "x" * 10_000])
def test_an_invalid_link_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        links.verify_lasting(text)


def test_neither_kind_of_link_is_accepted_as_the_other() -> None:
    with pytest.raises(NotFound):
        links.verify_lasting(links.sign(IMAGE).removeprefix("/files/"))
    with pytest.raises(NotFound):
        links.verify(token())


def test_there_are_no_other_variants() -> None:
    with pytest.raises(ValueError, match="no variant"):
        links.sign_lasting(IMAGE, "4096")
