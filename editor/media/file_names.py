"""Names under which people save images."""

from __future__ import annotations

import regex

from editor import words

LONGEST_TITLE = 60  # letters, each with its marks
LONGEST_TITLE_BYTES = 180  # of the 255 that file systems allow: version, number and extension follow
EXTENSIONS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}

_LETTER = regex.compile(r"\X")


def stem(title: str, label: str) -> str:
    """The name without its extension: words of the title, in small letters, and the version's label."""
    name = shortened(words.hyphenated(title).lower(), LONGEST_TITLE, LONGEST_TITLE_BYTES).rstrip("-")
    return f"{name or 'image'}-{label.lower()}"


def shortened(name: str, longest: int, longest_bytes: int) -> str:
    """The beginning of the name, cut between letters. `longest` counts letters with their marks."""
    kept, size = "", 0
    for letter in _LETTER.findall(name)[:longest]:
        size += len(letter.encode())
        if size > longest_bytes:
            break
        kept += letter
    return kept
