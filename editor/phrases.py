"""Numbers in sentences."""

from __future__ import annotations


def credits(amount: int) -> str:
    """As in "1 credit" or "1,200 credits", with a true minus sign."""
    return "1 credit" if amount == 1 else f"{amount:,} credits".replace("-", "−")


def edits(count: int) -> str:
    """As in "1 edit" or "1,200 edits"."""
    return "1 edit" if count == 1 else f"{count:,} edits"
