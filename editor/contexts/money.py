"""Credits in money, where the operator has set a price. Approximate, since plans and invoices may differ."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "¥", "INR": "₹", "KRW": "₩"}
WHOLE = {"JPY", "KRW"}  # have no smaller unit


def money(credits: float) -> str:
    """As "$61.72" or "CHF 61.72"; "" without CREDIT_PRICE."""
    if settings.CREDIT_PRICE is None:
        return ""
    currency = settings.CURRENCY
    places = 0 if currency in WHOLE else 2
    amount = f"{settings.CREDIT_PRICE * Decimal(credits):,.{places}f}"
    symbol = SYMBOLS.get(currency, currency)
    return f"{symbol}\N{NO-BREAK SPACE}{amount}" if len(symbol) > 1 else f"{symbol}{amount}"
