"""What an API key may do. Doors ask `allows`; pages and the command line take names and words from here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

EVERYTHING = "image_editor"
READ = "image_editor:read"
WRITE = "image_editor:write"

# Each scope, and what it allows in words for people.
SCOPES: Mapping[str, str] = MappingProxyType(
    {
        EVERYTHING: "Full access to the Image Editor API",
        READ: "View jobs, models, styles, characters and estimates",
        WRITE: "Upload images, run edits and cancel them",
    }
)


def allows(scopes: Collection[str], needed: str) -> bool:
    """True when a key with `scopes` may do what needs the scope `needed`, which is one of SCOPES."""
    return needed in SCOPES and (needed in scopes or EVERYTHING in scopes)
