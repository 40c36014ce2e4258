"""Names of devices, from what browsers say about themselves."""

from __future__ import annotations

from dataclasses import dataclass

# What the header contains: the first that matches counts, as most browsers also name others.
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone", "phone"),
    ("iPad", "iPad", "phone"),
    ("Android", "Android", "phone"),
    ("Windows", "Windows", "computer"),
    ("Mac OS X", "macOS", "laptop"),
    ("CrOS", "ChromeOS", "laptop"),
    ("Linux", "Linux", "computer"),
)


@dataclass(frozen=True, slots=True)
class Device:
    """`kind`: phone, laptop or computer."""

    name: str
    kind: str


def device(user_agent: str) -> Device:
    """As in "Chrome on macOS". The header can say anything, so this is only a hint."""
    browser = next((name for part, name in BROWSERS if part in user_agent), "")
    system, kind = next(
        ((name, kind) for part, name, kind in SYSTEMS if part in user_agent), ("", "computer")
    )
    name = " on ".join(part for part in (browser, system) if part)
    return Device(name=name or "Unknown device", kind=kind)
