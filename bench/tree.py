"""What the Studio costs with an image of a thousand versions: `make bench-tree`. Takes about half a minute.

The versions are one line with two branches; the page is requested at three of them.
"""

from __future__ import annotations

import os

from bench import pages, table
from bench.pages import INTERACTION_BAR, Ask
from bench.portal import (
    OWNER,
    SLUG,
    TREE_BRANCHES,
    TREE_VERSIONS,
    WORKSPACE,
    run_inside,
    running_portal,
)
from tests.e2e.portal import Portal

BYTES_BAR = 150_000


def main() -> None:
    with running_portal("--no-worker") as portal:
        portal.bootstrap(email=OWNER, workspace=WORKSPACE, credits=1000)
        run_inside(portal, f"from bench.fill_tree import fill; fill({SLUG!r})")
        _show(portal)


def _show(portal: Portal) -> None:
    client = pages.sign_in(portal)
    rows = portal.query("SELECT version, id::text FROM editor_image ORDER BY version")
    ids = {int(version): image_id for version, image_id in rows}
    shown = {"the first": 1, "in the middle": TREE_VERSIONS // 2, "the last": TREE_VERSIONS}
    asks = [
        Ask(f"{what}, {place}", f"/w/{SLUG}/v/{ids[version]}/", INTERACTION_BAR, htmx=htmx)
        for what, htmx in (("Studio", False), ("Stage swap", True))
        for place, version in shown.items()
    ]
    timings = pages.measure(portal, client, asks)
    cpu = [pages.processor_time(portal, client, ask)[0] for ask in asks]
    table.show(
        f"An image of {TREE_VERSIONS:,} versions with {len(TREE_BRANCHES)} branches: milliseconds, also of "
        "the portal's processor time, and kB before compression. "
        f"Bars: {INTERACTION_BAR} ms, {BYTES_BAR // 1000} kB "
        f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)",
        ("request", "min", "median", "max", "CPU", "queries", "kB"),
        [
            (
                timing.ask.what,
                f"{timing.least:.0f}",
                f"{timing.middle:.0f}" + (" OVER" if timing.middle >= timing.ask.bar else ""),
                f"{timing.most:.0f}",
                f"{milliseconds:.0f}",
                str(timing.queries),
                f"{timing.size / 1000:.0f}" + (" OVER" if timing.size >= BYTES_BAR else ""),
            )
            for timing, milliseconds in zip(timings, cpu, strict=True)
        ],
    )


if __name__ == "__main__":
    main()
