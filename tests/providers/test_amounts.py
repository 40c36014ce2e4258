"""What providers say that an edit took, in US dollars."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from editor.providers import amounts


@pytest.mark.parametrize(
    ("amount", "per_unit", "dollars"),
    [
        (4.5, "0.01", "0.045"),
        (4, "0.005", "0.02"),
        ("0.003510000000", "1", "0.00351"),
        (0, "1", "0"),
        ("0", "1", "0"),
    ],
)
def test_a_number_or_its_text_is_an_amount(amount: Any, per_unit: str, dollars: str) -> None:
    assert amounts.dollars(amount, per_unit=per_unit) == Decimal(dollars)


@pytest.mark.parametrize(
    "amount", [None, True, "", "four", "NaN", "Infinity", "-1", -0.1, 1001, "1e999999", [], {"a": 1}]
)
def test_anything_else_is_none(amount: Any) -> None:
    assert amounts.dollars(amount) is None
