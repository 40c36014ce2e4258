"""Additional output of failed tests: the portals' logs of that time, and the browser's pages.

A conftest.py imports the hooks. Screenshots go to .cache/failures, which is emptied by each run.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Error, Page

from tests.e2e.portal import ROOT, TEMPLATE, Portal

PICTURES = ROOT / ".cache" / "failures"
LONGEST = 30_000  # characters from the end of a log
_RUN = uuid.uuid4().hex


class Watched:
    """A page with all its console messages."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))

    def _listen(self, message: ConsoleMessage) -> None:
        self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")


_BEGAN = pytest.StashKey[dict[Portal, int]]()  # length of each portal's log at the start
_PAGES = pytest.StashKey[list[Watched]]()
_SEEN = pytest.StashKey[list[tuple[str, str]]]()  # sections about the pages


def watch(item: pytest.Item, page: Page) -> None:
    """Report this page when the test fails."""
    item.stash.setdefault(_PAGES, []).append(Watched(page))


def look(item: pytest.Item) -> None:
    """Take the screenshots once, while the pages are open."""
    if _SEEN not in item.stash:
        pages = item.stash.get(_PAGES, [])
        item.stash[_SEEN] = [_section(item, number, page) for number, page in enumerate(pages, start=1)]


def _section(item: pytest.Item, number: int, watched: Watched) -> tuple[str, str]:
    name = re.sub(r"[^\w.\[\]-]+", "_", f"{item.path.stem}.{item.name}")[:150]
    path = PICTURES / (f"{name}.png" if number == 1 else f"{name}.{number}.png")
    page = watched.page
    lines = [f"address: {page.url}"]
    try:
        lines.append(f"title: {page.title()}")
        page.screenshot(path=path, full_page=True)
        lines.append(f"picture: {path.relative_to(ROOT)}")
    except Error as error:
        lines.append(f"no picture: {error}")
    return f"page {number}", "\n".join([*lines, "console:", *(watched.complaints or ["(nothing)"])])


def _logs(began: dict[Portal, int]) -> Iterator[tuple[str, str]]:
    for portal in Portal.made:
        if portal.folder.name != TEMPLATE and portal.log.exists():
            with portal.log.open("rb") as log:
                log.seek(began.get(portal, 0))
                text = log.read().decode(errors="replace")
            if text:
                cut = f"(the last {LONGEST} characters of {portal.log})\n" if len(text) > LONGEST else ""
                yield f"log of the portal in {portal.folder.name}", cut + text[-LONGEST:]


@pytest.hookimpl
def pytest_configure(config: pytest.Config) -> None:
    """Empty the folder of screenshots, in the first process of a run that gets here."""
    run: str = getattr(config, "workerinput", {}).get("testrunuid", _RUN)
    PICTURES.parent.mkdir(exist_ok=True)
    with (PICTURES.parent / "failures.run").open("a+") as noted:
        fcntl.flock(noted, fcntl.LOCK_EX)
        noted.seek(0)
        if noted.read() != run:
            shutil.rmtree(PICTURES, ignore_errors=True)
            PICTURES.mkdir()
            noted.truncate(0)
            noted.write(run)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_BEGAN] = {portal: portal.log.stat().st_size for portal in Portal.made if portal.log.exists()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.failed:
        if report.when != "teardown":
            look(item)
        seen: list[tuple[str, str]] = item.stash.get(_SEEN, [])
        report.sections += seen
        report.sections += _logs(item.stash.get(_BEGAN, {}))
    return report  # type: ignore[return-value]
