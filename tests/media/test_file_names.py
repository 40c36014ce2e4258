"""Names that any file system takes, and that keep whole letters."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from editor.media.file_names import LONGEST_TITLE, stem


def test_a_name_has_the_words_of_the_prompt_and_the_version() -> None:
    assert stem("Make it warmer, f/1.8!", "v3") == "make-it-warmer-f-1-8-v3"
    assert stem("photo", "Original") == "photo-original"
    assert stem("…", "v1") == "image-v1"


def test_a_long_name_is_cut_between_letters() -> None:
    assert stem("x" * 300, "v1") == f"{'x' * LONGEST_TITLE}-v1"
    assert stem("हि" * 100, "v1") == f"{'हि' * 30}-v1"
    assert stem(f"{'a' * (LONGEST_TITLE - 1)} b", "v1") == f"{'a' * (LONGEST_TITLE - 1)}-v1"


@given(st.text(), st.integers(1, 10_000))
def test_every_name_is_short_and_has_only_letters_digits_and_hyphens(title: str, version: int) -> None:
    name = stem(title, f"v{version}")
    assert len(f"{name}-100.webp".encode()) <= 255
    kinds = {unicodedata.category(letter) for letter in name.replace("-", "")}
    # Letters that are newer than Python count as unassigned.
    assert not {kind for kind in kinds if kind[0] not in "LMN"} - {"Cn"}
    assert not name.startswith("-")
