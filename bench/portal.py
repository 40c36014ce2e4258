"""A separate portal for benchmarks and screenshots, and a browser for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.portal import PASSWORD, ROOT, Portal

OWNER = "amara@example.test"
WORKSPACE = "Acme Studio"
SLUG = "acme-studio"
LARGE_TREE = 60  # versions of the image that `fill` edits most
TREE_VERSIONS = 1_000  # of the image of `bench.tree`
TREE_BRANCHES = {400: 1, 700: 500}  # its versions that start a branch, and their sources

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}

DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}

_QUIET = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"]


@contextmanager
def running_portal(*arguments: str, **environment: str) -> Iterator[Portal]:
    """A running portal without any data; removed completely afterwards.

    arguments    of `manage.py portal`
    environment  settings besides its own
    """
    # Raises an exception, like Ctrl+C, so that cleanup runs.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with TemporaryDirectory(prefix="portal-") as folder:
        portal = Portal(Path(folder, "portal"), **environment)
        portal.folder.mkdir()
        portal.manage("collectstatic", "--no-input", "--verbosity", "0")
        portal.start(*arguments)
        try:
            yield portal
        except BaseException:
            sys.stderr.write(portal.log.read_text()[-4000:])
            raise
        finally:
            portal.remove()


def run_inside(portal: Portal, code: str, *, given: str = "") -> str:
    """Run Python in the portal's environment, with Django set up; returns its output.

    given  standard input of the code
    """
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT,
        env=portal.environment,
        input=given,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser in PORTAL_CHROMIUM, which `make` sets; it installs one if needed."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["PORTAL_CHROMIUM"], args=[*_QUIET, *sandbox]
        )
        yield browser
        browser.close()


def sign_in(page: Page, portal: Portal) -> None:
    """Sign in the owner; ends in the Studio."""
    page.goto(f"{portal.url}/accounts/login/")
    page.get_by_label("Email").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{portal.url}/w/{SLUG}/")
