"""Reading settings from environment variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()
# Which variables are invalid, and why; for `manage.py check`, which also runs at each start.
INVALID_SETTINGS: list[str] = []


def texts(name: str) -> list[str]:
    """A comma-separated list, without its empty entries."""
    return [entry.strip() for entry in env.str(name, default="").split(",") if entry.strip()]


def parsed(name: str, values: Iterable[str], parse: Callable[[str], Any]) -> list[Any]:
    """The valid values; the others are recorded in INVALID_SETTINGS with the reason."""
    found = []
    for text in values:
        try:
            found.append(parse(text))
        except ValueError as error:
            INVALID_SETTINGS.append(f"{name}: {error}.")
    return found


def seconds(name: str, *, default: float, most: float) -> float:
    """A number of seconds from 1 to `most`; the default if it is not set or invalid."""
    found = parsed(name, texts(name), partial(_seconds, most=most))
    return float(found[0]) if found else default


def _seconds(text: str, *, most: float) -> float:
    number = float(text)  # whose error quotes the text
    if not 1 <= number <= most:
        raise ValueError(f"it must be a number of seconds from 1 to {most:g}, not {text}")
    return number


def days(name: str, *, default: int, most: int) -> int:
    """A whole number of days from 1 to `most`; the default if it is not set or invalid."""
    found = parsed(name, texts(name), partial(_days, most=most))
    return int(found[0]) if found else default


def _days(text: str, *, most: int) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise ValueError(f"it must be a whole number of days from 1 to {most}, not {text}")
    return int(text)


def price(name: str) -> Decimal | None:
    """A sum of money such as 0.04, above 0; None if it is not set or invalid."""
    found = parsed(name, texts(name), _price)
    return found[0] if found else None


def _price(text: str) -> Decimal:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII) or not Decimal(text):
        raise ValueError(f"it must be a price such as 0.04, not {text}")
    return Decimal(text)


def size(name: str) -> int | None:
    """A size such as 500MB, 2GB or 1073741824, in bytes; None if it is not set."""
    text = env.str(name, default="").strip()
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,18})\s*([KMGT]?)B?", text, re.IGNORECASE)
    if not found:
        raise ImproperlyConfigured(f"{name} must be a size such as 500MB or 2GB, not {text!r}.")
    unit: int = 1024 ** " KMGT".index(found[2].upper() or " ")
    return int(found[1]) * unit


def provider_origin(url: str) -> str:
    """A provider's base URL as adapters expect it: people paste it with its version path, "…/v1/"."""
    return re.sub(r"(/api)?/v1(beta)?$", "", url.strip().rstrip("/"))
