"""Addresses as people type and paste them."""

from __future__ import annotations

import pytest

from editor.web.forms.members import addresses


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "a@x.test, b@x.test;c@x.test\nd@x.test e@x.test",
            ["a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test"],
        ),
        ("A@x.test a@X.test", ["a@x.test"]),
        ("Sofia Brandt <Sofia.Brandt@x.test>, ben@x.test", ["sofia.brandt@x.test", "ben@x.test"]),
        ('"Brandt, Sofia" <sofia@x.test>; "Ben" <ben@x.test>', ["sofia@x.test", "ben@x.test"]),
        ("सोफिया <sofia@x.test>\nnobody", ["sofia@x.test", "nobody"]),
        ("nobody", ["nobody"]),
        (" ,; ", []),
    ],
)
def test_addresses_are_found_with_and_without_names(text: str, found: list[str]) -> None:
    assert addresses(text) == found
