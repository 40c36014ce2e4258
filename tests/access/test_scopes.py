"""Scopes: full access implies its parts, and nothing else."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from editor.access.scopes import EVERYTHING, READ, SCOPES, WRITE, allows


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ([EVERYTHING], {EVERYTHING, READ, WRITE}),
        ([READ], {READ}),
        ([WRITE], {WRITE}),
        ([READ, WRITE], {READ, WRITE}),
        ([], set()),
        (["image_editor:", "image_editor:*", "*", "image", "Image_Editor"], set()),
    ],
    ids=["everything", "read", "write", "both", "none", "no scopes"],
)
def test_scopes_allow_exactly_their_parts(scopes: Collection[str], allowed: set[str]) -> None:
    assert {needed for needed in SCOPES if allows(scopes, needed)} == allowed


@pytest.mark.parametrize("needed", ["", "admin", "image_editor:delete"])
def test_an_unknown_scope_is_never_allowed(needed: str) -> None:
    assert not allows([*SCOPES, needed], needed)


def test_each_scope_has_a_description() -> None:
    assert all(message[0].isupper() for message in SCOPES.values())
