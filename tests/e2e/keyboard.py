"""Steps by keyboard."""

from __future__ import annotations

from playwright.sync_api import Page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
