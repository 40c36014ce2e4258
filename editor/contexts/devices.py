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
    ("iPhone", "iPhone", "smartphone"),
    ("iPad", "iPad", "smartphone"),
    ("Android", "Android", "smartphone"),
    ("Windows", "Windows", "monitor"),
    ("Mac OS X", "macOS", "laptop"),
    ("CrOS", "ChromeOS", "laptop"),
    ("Linux", "Linux", "monitor"),
)


@dataclass(frozen=True, slots=True)
class Device:
    name: str
    icon: str


def device(user_agent: str) -> Device:
    """As in "Chrome on macOS". The header can say anything, so this is only a hint."""
    browser = next((name for part, name in BROWSERS if part in user_agent), "")
    system, icon = next(((name, icon) for part, name, icon in SYSTEMS if part in user_agent), ("", "monitor"))
    name = " on ".join(part for part in (browser, system) if part)
    return Device(name=name or "Unknown device", icon=icon)
