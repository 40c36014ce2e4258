"""A user of a browser: finds what is shown, by its name as far as WebDriver can, and waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from tests.e2e.portal import PASSWORD
from tests.patience import wait_until

T = TypeVar("T")

# What WebDriver raises while a page changes under it.
CHANGING = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    StaleElementReferenceException,
)

# During a transition between two views, what is shown cannot be clicked.
STILL = """
const animations = document.documentElement.getAnimations({ subtree: true });
return !animations.some((one) => one.effect?.pseudoElement?.startsWith("::view-transition"));
"""


class User:
    def __init__(self, driver: WebDriver, origin: str, browser: str) -> None:
        self.driver = driver
        self.origin = origin
        self.email = f"{browser}@example.test"
        self.home = f"{origin}/w/{browser}/"

    def open(self, path: str = "") -> None:
        self.driver.get(self.home + path)

    def wait(self, look: Callable[[], T], otherwise: str) -> T:
        """Wait until `look()` is true; what it looked at may be swapped meanwhile."""

        def safely() -> T | None:
            try:
                return look()
            except CHANGING:
                return None

        return wait_until(safely, lambda: f"{otherwise} at {self.driver.current_url}: {self.text()[:900]}")  # type: ignore[return-value]

    def text(self) -> str:
        return str(self.script("return document.body?.innerText ?? ''"))

    def find(self, path: str) -> WebElement:
        """The first visible element of an XPath."""
        return self.wait(  # type: ignore[return-value]
            lambda: next(iter(self.visible(path)), None) if self.script(STILL) else None, f"no {path}"
        )

    def visible(self, path: str) -> list[WebElement]:
        return [one for one in self.driver.find_elements(By.XPATH, path) if one.is_displayed()]

    def button(self, name: str) -> WebElement:
        return self.find(f"//button[{named(name)}]")

    def link(self, name: str) -> WebElement:
        return self.find(f"//a[{named(name)}]")

    def field(self, label: str) -> WebElement:
        return self.find(f"//*[@id = //label[starts-with(normalize-space(), '{label}')]/@for]")

    def choose(self, name: str, value: str) -> None:
        """Choose a radio button by its label: it is itself invisible."""
        label = f"//label[.//input[@name='{name}' and @value='{value}']]"
        self.wait(lambda: self.find(label).click() or True, f"{label} cannot be clicked")  # type: ignore[func-returns-value]

    def enter(self, label: str, text: str) -> None:
        field = self.field(label)
        field.clear()
        field.send_keys(text)

    def sees(self, text: str) -> None:
        self.wait(lambda: text in self.text(), f"no “{text}”")

    def misses(self, path: str) -> None:
        self.wait(lambda: not self.visible(path), f"still {path}")

    def script(self, body: str, *arguments: Any) -> Any:
        return self.driver.execute_script(body, *arguments)

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)

    def sign_in(self) -> None:
        self.driver.get(f"{self.origin}/accounts/login/")
        self.enter("Email", self.email)
        self.enter("Password", PASSWORD + Keys.ENTER)
        self.wait(lambda: self.driver.current_url == self.home, "not signed in")

    def pasted(self) -> str:
        """What the clipboard holds, pasted into the search field of the gallery."""
        self.open("gallery/")
        field = self.field("Search edits")
        field.send_keys(Keys.CONTROL, "v")
        return self.wait(lambda: field.get_property("value"), "nothing pasted")  # type: ignore[return-value]


def named(name: str) -> str:
    """The XPath condition for elements whose label or text starts with this."""
    return (
        f"starts-with(@aria-label, '{name}') or not(@aria-label) and starts-with(normalize-space(), '{name}')"
    )
