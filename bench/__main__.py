"""All benchmarks of the portal, printed as tables: `make bench`. Takes about five minutes."""

from __future__ import annotations

import os
import sys

from bench import browser, members, pages, table
from bench.browser import KILOBYTES_BAR, REQUESTS_BAR, SHIFT_BAR, SLOWER, Load
from bench.pages import Timing
from bench.portal import OWNER, SLUG, WORKSPACE, chromium, run_inside, running_portal
from tests.e2e.portal import Portal

FEW, MANY = 10_000, 100_000


def main() -> None:
    # Without a worker: requested edits stay queued, and do not disturb the measurement.
    with running_portal("--no-worker") as portal:
        portal.bootstrap(email=OWNER, workspace=WORKSPACE, credits=1000)
        _fill(portal, FEW)
        client = pages.sign_in(portal)
        _show_timings(FEW, pages.measure(portal, client, pages.gallery_asks(portal, client)))
        with chromium() as started:
            _show_loads(browser.measure(portal, started, _pages(portal)))
        _show_timings(FEW, pages.measure(portal, client, pages.studio_asks(portal)))
        _fill(portal, MANY)
        _show_timings(MANY, pages.measure(portal, client, pages.gallery_asks(portal, client)))
        sys.stderr.write(f"==> Adding {members.MEMBERS:,} members\n")
        run_inside(portal, f"from bench.members import fill; fill({SLUG!r}, members={members.MEMBERS})")
        _show_timings(MANY, pages.measure(portal, client, members.asks()))


def _fill(portal: Portal, jobs: int) -> None:
    sys.stderr.write(f"==> Filling the workspace with {jobs:,} edits\n")
    run_inside(portal, f"from bench.fill import fill; fill({SLUG!r}, jobs={jobs})")


def _pages(portal: Portal) -> dict[str, str]:
    """The newest edit tree: its images have files."""
    return {
        "Studio, empty": f"/w/{SLUG}/",
        "Studio, a version": f"/w/{SLUG}/v/{pages.a_version(portal, at_most=8)}/",
        "Gallery": f"/w/{SLUG}/gallery/",
        "Login": "/accounts/login/",
    }


def _show_timings(jobs: int, timings: list[Timing]) -> None:
    table.show(
        f"Server time with {jobs:,} edits in the workspace, milliseconds ({_load()})",
        ("request", "min", "median", "max", "bar", "queries"),
        [
            (
                timing.ask.what,
                f"{timing.least:.0f}",
                _judged(timing.middle, timing.ask.bar),
                f"{timing.most:.0f}",
                str(timing.ask.bar),
                str(timing.queries),
            )
            for timing in timings
        ],
    )


def _show_loads(loads: list[Load]) -> None:
    table.show(
        "First visit with an empty cache: milliseconds; kilobytes and requests before images, and in all. "
        f"Bars: {KILOBYTES_BAR} kB and {REQUESTS_BAR} requests before images, shift {SHIFT_BAR} ({_load()})",
        ("page", "device", "first paint", "largest paint", "busy", "shift", "kB", "requests"),
        [
            (
                load.what,
                load.device if load.slower == 1 else f"{load.device}, {SLOWER}x slower",
                f"{load.first_paint:.0f}",
                f"{load.largest_paint:.0f}",
                f"{load.busy:.0f}",
                _judged(load.shift, SHIFT_BAR, digits=3),
                f"{_judged(load.bytes_before_images / 1000, KILOBYTES_BAR)}, {load.bytes_in_all / 1000:.0f}",
                f"{_judged(load.requests_before_images, REQUESTS_BAR)}, {load.requests_in_all}",
            )
            for load in loads
        ],
    )


def _load() -> str:
    """The machine's load, including other programs: with a high load, times mean little."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def _judged(figure: float, bar: float, *, digits: int = 0) -> str:
    """The figure, marked if it is not below its limit."""
    return f"{figure:.{digits}f}" + ("" if figure < bar else " OVER")


if __name__ == "__main__":
    main()
