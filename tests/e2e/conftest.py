"""Fixtures with a real server and a real Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from imageeditor.postgres.cluster import connection_info
from imageeditor.postgres.places import find_place
from tests.e2e.api import Api, pictures_server
from tests.e2e.failures import (
    look,
    pytest_configure,
    pytest_runtest_makereport,
    pytest_runtest_setup,
    watch,
)
from tests.e2e.portal import TEMPLATE, Portal
from tests.e2e.studio import PHONE, Studio
from tests.emulators.fal import Fal
from tests.emulators.google import Google
from tests.emulators.kie import Kie
from tests.emulators.openai import OpenAi
from tests.fast_postgres import no_waiting_for_the_disk
from tests.net.fetching import Authority
from tests.patience import PATIENCE

__all__ = ["pytest_configure", "pytest_runtest_makereport", "pytest_runtest_setup"]

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
expect.set_options(timeout=1000 * PATIENCE)
QUIET = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of this run's portals; static files are collected and tables created once for all."""
    folder = tmp_path_factory.mktemp("portals")
    Portal(folder / "collect").manage("collectstatic", "--no-input", "--verbosity", "0")
    (folder / TEMPLATE).mkdir()
    template = Portal(folder / TEMPLATE)
    template.start()
    no_waiting_for_the_disk(connection_info(find_place(template.data).cluster))
    template.stop()
    yield folder
    template.remove()


@pytest.fixture
def portal(portals: Path, request: pytest.FixtureRequest) -> Iterator[Portal]:
    """A fresh portal for one test."""
    portal = Portal(Path(mkdtemp(prefix=request.node.originalname[:40], dir=portals)))
    portal.start()
    yield portal
    portal.remove()


@pytest.fixture(scope="module")
def common_portal(portals: Path, request: pytest.FixtureRequest) -> Iterator[Portal]:
    """One portal for the tests of a file, with one user in one workspace."""
    folder = portals / request.module.__name__.rpartition(".")[2]
    folder.mkdir()
    portal = Portal(folder)
    portal.start()
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=5_000)
    yield portal
    portal.remove()


@pytest.fixture(scope="session")
def api(portals: Path) -> Iterator[Api]:
    """One portal for the tests of the public API, with its workspaces."""
    folder = portals / "api"
    folder.mkdir()
    authority = Authority(folder)
    with ExitStack() as stack:
        emulators = {make.name: stack.enter_context(make()) for make in (OpenAi, Google, Fal, Kie)}
        pictures = stack.enter_context(pictures_server(authority))
        portal = Portal(
            folder,
            OUTBOUND_ALLOW="127.0.0.0/8",
            SSL_CERT_FILE=str(authority.pem),
            **{f"{name.upper()}_BASE_URL": emulator.url for name, emulator in emulators.items()},
        )
        stack.callback(portal.remove)
        portal.start()
        yield stack.enter_context(closing(Api(portal, emulators, pictures)))


@pytest.fixture
def studio(common_portal: Portal, new_context: ContextMaker) -> Studio:
    """The user's Studio on a desktop, with a new photograph on stage."""
    return Studio(new_context(), common_portal).begin()


@pytest.fixture
def phone(common_portal: Portal, new_context: ContextMaker) -> Studio:
    """The same on a phone."""
    return Studio(new_context(**PHONE), common_portal).begin()


# Not of session scope: while it is open, Playwright's event loop runs in this thread, where the async
# tests of other folders need their own.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launch(playwright.chromium)
        yield chromium
        chromium.close()


def launch(chromium: BrowserType, **options: Any) -> Browser:
    """Launch the machine's own Chromium."""
    executable = os.environ.get("PORTAL_CHROMIUM") or next(
        filter(None, map(shutil.which, CHROMIUM_NAMES)), None
    )
    assert executable, "no Chromium: `make test` installs one, or set PORTAL_CHROMIUM"
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return chromium.launch(executable_path=executable, args=[*QUIET, *sandbox], **options)


@pytest.fixture
def new_context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[ContextMaker]:
    maker = ContextMaker(browser, request.node)
    yield maker
    if maker.complaints:
        look(request.node)
    maker.close()
    assert maker.complaints == [], "the browser complained"


class ContextMaker:
    """Browser contexts of different users; errors and warnings in their consoles fail the test."""

    def __init__(self, browser: Browser, item: pytest.Item) -> None:
        self.browser = browser
        self.item = item
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def __call__(self, **options: object) -> Page:
        context = self.browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})  # type: ignore[arg-type]
        context.set_default_timeout(1000 * PATIENCE)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        watch(self.item, page)
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        # Chromium itself logs each response of 400 or more, also those that the page expects and shows.
        refused = message.text.startswith("Failed to load resource: the server responded with a status of 4")
        # It also logs when a page is left before its socket is open, and htmx repeats it without the reason.
        left = message.text.endswith("WebSocket is closed before the connection is established.")
        left = left or message.text.startswith("htmx: htmx:ws:error")
        if message.type in ("error", "warning") and not refused and not left:
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def forgive(self, *reason: str) -> None:
        """Drop the complaints about connections that a test broke on purpose."""
        self.complaints = [line for line in self.complaints if not any(word in line for word in reason)]

    def close(self) -> None:
        for context in self.contexts:
            context.close()
