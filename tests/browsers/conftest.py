"""One portal, and each browser in turn with a signed-in user in a workspace of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsers.drivers import BROWSERS
from tests.browsers.user import User
from tests.e2e.conftest import portals
from tests.e2e.portal import Portal

__all__ = ["portals"]


@pytest.fixture(scope="session")
def portal(portals: Path) -> Iterator[Portal]:
    folder = portals / "browsers"
    folder.mkdir()
    portal = Portal(folder, SIGNUP="open")
    portal.start()
    yield portal
    portal.remove()


@pytest.fixture(scope="session", params=list(BROWSERS))
def user(
    request: pytest.FixtureRequest, portal: Portal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[User]:
    browser = request.param
    portal.bootstrap(email=f"{browser}@example.test", workspace=browser, credits=500)
    with BROWSERS[browser](tmp_path_factory.mktemp(browser)) as driver:
        driver.set_window_size(1440, 900)
        user = User(driver, portal.url, browser)
        user.sign_in()
        yield user
