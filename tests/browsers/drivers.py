"""Starts the browsers of `make test-browsers`, from the folder PORTAL_BROWSERS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service as ChromiumService
from selenium.webdriver.common.options import ArgOptions
from selenium.webdriver.remote.file_detector import UselessFileDetector
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.webkitgtk.options import Options as WebKitOptions
from selenium.webdriver.webkitgtk.service import Service as WebKitService

from tests.browsers.marionette import Marionette
from tests.patience import PATIENCE, wait_until


def program(name: str) -> str:
    folder = os.environ.get("PORTAL_BROWSERS")
    assert folder, "run `make test-browsers`, which brings the browsers"
    return str(Path(folder) / name)


@contextmanager
def chromium(folder: Path) -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless", "--no-sandbox", f"--user-data-dir={folder}"):
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=ChromiumService(program("chromedriver"))) as driver:
        yield driver


@contextmanager
def firefox(folder: Path) -> Iterator[WebDriver]:
    (folder / "user.js").write_text('user_pref("marionette.port", 0);\n')  # any free port
    command = [program("firefox-esr"), "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            port = wait_until(lambda: _read(folder / "MarionetteActivePort"))
            executor = Marionette(int(port), timeout=PATIENCE)
            with WebDriver(command_executor=executor, options=ArgOptions()) as driver:
                driver.file_detector = UselessFileDetector()  # Firefox reads the files here itself
                yield driver
            executor.close()
        finally:
            process.terminate()


def _read(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""


@contextmanager
def webkit(folder: Path) -> Iterator[WebDriver]:
    """WebKitGTK has no headless mode, so it gets a display."""
    command = [program("Xvfb"), "-displayfd", "1", "-screen", "0", "1440x1000x24", "-nolisten", "tcp"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as display,
    ):
        try:
            assert display.stdout
            number = display.stdout.readline().decode().strip()
            service = WebKitService(program("WebKitWebDriver"), env={**os.environ, "DISPLAY": f":{number}"})
            with webdriver.WebKitGTK(options=WebKitOptions(), service=service) as driver:
                yield driver
        finally:
            display.terminate()


BROWSERS = {"chromium": chromium, "firefox": firefox, "webkit": webkit}
