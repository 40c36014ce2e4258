"""What providers say that an edit took from the account. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST = Decimal(1000)  # US dollars; anything above, or below zero, is no price of an edit


def dollars(amount: Any, *, per_unit: str = "1") -> Decimal | None:
    """A number, or a number as text, in US dollars; None for anything else.

    per_unit  US dollars of one of the units that the provider counts in
    """
    if isinstance(amount, bool) or not isinstance(amount, int | float | str):
        return None
    try:
        found = Decimal(str(amount)) * Decimal(per_unit)
        return round(found, 6) if 0 <= found <= LARGEST else None
    except InvalidOperation:
        return None
