"""Page loads in a browser with an empty cache: paints, layout shifts, bytes and requests."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import Any

from playwright.sync_api import Browser, CDPSession

from bench.portal import DESKTOP, PHONE, sign_in
from tests.e2e.portal import Portal

REPETITIONS = 3
SLOWER = 4  # CPU throttling factor: about a cheap phone
KILOBYTES_BAR = 150  # before images
REQUESTS_BAR = 15  # before images
SHIFT_BAR = 0.02

# Buffered entries include events from before the observer.
_PAINTS_AND_SHIFTS = """() => new Promise((resolve) => {
  const told = { first: 0, largest: 0, shift: 0 };
  const watch = (type, tell) =>
    new PerformanceObserver((list) => list.getEntries().forEach(tell)).observe({ type, buffered: true });
  watch("paint", (entry) => {
    if (entry.name === "first-contentful-paint") told.first = entry.startTime;
  });
  watch("largest-contentful-paint", (entry) => (told.largest = entry.startTime));
  watch("layout-shift", (entry) => (told.shift += entry.value));
  setTimeout(() => resolve(told), 100);
})"""


@dataclass(frozen=True, slots=True)
class Load:
    """One page on one device. Times in milliseconds since the start of the navigation; bytes on the
    wire, with headers; `shift` is the sum of all layout shifts, without unit."""

    what: str
    device: str
    slower: int
    first_paint: float
    largest_paint: float
    shift: float
    busy: float
    bytes_before_images: int
    bytes_in_all: int
    requests_before_images: int
    requests_in_all: int


@dataclass(slots=True)
class _Traffic:
    """What one page loaded, with images counted separately. Its socket does not count as a request."""

    kinds: dict[str, str]
    sizes: dict[str, int]

    def requests(self, *, images: bool) -> int:
        return sum(1 for kind in self.kinds.values() if images or kind != "Image")

    def bytes(self, *, images: bool) -> int:
        return sum(size for request, size in self.sizes.items() if images or self.kinds[request] != "Image")


def measure(portal: Portal, browser: Browser, pages: dict[str, str]) -> list[Load]:
    """Each page (name to path) at both sizes, with and without CPU throttling."""
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, portal)
    signed_in = context.storage_state()
    context.close()

    loads = []
    devices = {"desktop": DESKTOP, "phone": PHONE}
    for (what, path), (device, options), slower in product(pages.items(), devices.items(), (1, SLOWER)):
        state = None if path.startswith("/accounts/") else signed_in
        tries = [
            _load(browser, f"{portal.url}{path}", options | {"storage_state": state}, slower)
            for _ in range(REPETITIONS)
        ]
        figures = {name: median(one[name] for one in tries) for name in tries[0]}
        loads.append(Load(what, device, slower, **figures))  # type: ignore[arg-type]
    return loads


def _load(browser: Browser, url: str, options: dict[str, Any], slower: int) -> dict[str, float]:
    """Load the page in a new browser context, with an empty cache."""
    context = browser.new_context(**options)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    session.send("Performance.enable")
    traffic = _listen(session)
    answer = page.goto(url, wait_until="networkidle")
    assert answer is not None and answer.ok, f"{url}: {answer.status if answer else 'no answer'}"
    reported = page.evaluate(_PAINTS_AND_SHIFTS)
    busy = _metric(session, "TaskDuration") * 1000
    context.close()
    return {
        "first_paint": reported["first"],
        "largest_paint": reported["largest"],
        "shift": reported["shift"],
        "busy": busy,
        "bytes_before_images": traffic.bytes(images=False),
        "bytes_in_all": traffic.bytes(images=True),
        "requests_before_images": traffic.requests(images=False),
        "requests_in_all": traffic.requests(images=True),
    }


def _listen(session: CDPSession) -> _Traffic:
    traffic = _Traffic(kinds={}, sizes={})

    def begin(event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            traffic.kinds[event["requestId"]] = event["type"]

    def end(event: dict[str, Any]) -> None:
        if event["requestId"] in traffic.kinds:
            traffic.sizes[event["requestId"]] = event["encodedDataLength"]

    session.on("Network.requestWillBeSent", begin)
    session.on("Network.loadingFinished", end)
    session.send("Network.enable")
    return traffic


def _metric(session: CDPSession, name: str) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == name))
