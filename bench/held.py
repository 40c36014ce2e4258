"""Benchmarks held calls: `make bench-held`. Takes about two minutes.

Many clients call /process at once, of an API that responds when the image is ready. The provider is
the emulator of fal on this machine; the clients' work adds to the load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from bench import table
from bench.flights import MODEL, Provider
from bench.portal import OWNER, WORKSPACE, running_portal
from bench.process import usage
from tests.e2e.portal import ROOT, Portal

LOOK_EVERY = 0.5  # seconds
PATIENCE = 290.0  # seconds
MEGA = 1_000_000


@dataclass(slots=True)
class Figures:
    """Of the web process, except `connections`: database connections of all processes.

    idle, resident  memory in bytes, before and at its peak; the other figures are peaks too
    """

    idle: int = 0
    resident: int = 0
    threads: int = 0
    connections: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.held", description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=20, help="how long the provider works on each")
    options = parser.parse_args()
    for apart in (False, True):
        with Provider(seconds=options.seconds, longest_side=64) as provider:
            figures = _measure(provider, calls=options.calls, apart=apart)
        seconds = sorted(figures.seconds)
        table.show(
            f"{'web process, worker apart' if apart else 'one process'}: {options.calls} calls of "
            f"{options.seconds:g} s (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)",
            ("", "figure"),
            [
                ("answers", ", ".join(f"{count} x {status}" for status, count in figures.answers.items())),
                (
                    "seconds until the answer: shortest, median, longest",
                    f"{seconds[0]:.1f}, {seconds[len(seconds) // 2]:.1f}, {seconds[-1]:.1f}",
                ),
                ("memory idle, at most: MB", f"{figures.idle / MEGA:.0f}, {figures.resident / MEGA:.0f}"),
                ("threads of the web process, at most", str(figures.threads)),
                ("database connections of all processes, at most", str(figures.connections)),
            ],
        )


def _measure(provider: Provider, *, calls: int, apart: bool) -> Figures:
    environment = {**provider.environment(), "OUTBOUND_ALLOW": "127.0.0.0/8", "LOG_LEVEL": "WARNING"}
    arguments = ["--no-worker"] if apart else []
    with running_portal(*arguments, **environment) as portal:
        key_file = portal.folder / "key"
        portal.bootstrap(
            email=OWNER,
            workspace=WORKSPACE,
            credits=100 * calls,
            concurrent_jobs=str(calls),
            requests_per_minute=str(10 * calls),
            api_key_file=str(key_file),
        )
        with _worker(portal, apart):
            return asyncio.run(_call(portal, key_file.read_text().strip(), calls))


@contextmanager
def _worker(portal: Portal, apart: bool) -> Iterator[None]:
    if not apart:
        yield
        return
    with portal.log.open("ab") as log:
        command = [sys.executable, "manage.py", "worker"]
        process = subprocess.Popen(command, cwd=ROOT, env=portal.environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(40)


async def _call(portal: Portal, key: str, calls: int) -> Figures:
    assert portal.process is not None
    figures = Figures(idle=usage(portal.process.pid).resident)
    watching = asyncio.create_task(_watch(portal, portal.process.pid, figures))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, timeout=PATIENCE) as client:

        async def one(number: int) -> None:
            began = time.monotonic()
            answer = await client.post(
                f"{portal.url}/api/v1/image-editor/process",
                headers={"authorization": f"Bearer {key}"},
                json={"prompt": f"a quiet harbour, {number}", "model": MODEL},
            )
            figures.answers[answer.status_code] += 1
            figures.seconds.append(time.monotonic() - began)

        await asyncio.gather(*(one(number) for number in range(calls)))
    watching.cancel()
    return figures


async def _watch(portal: Portal, pid: int, figures: Figures) -> None:
    while True:
        now = usage(pid)
        figures.resident = max(figures.resident, now.resident)
        figures.threads = max(figures.threads, now.threads)
        [(count,)] = await asyncio.to_thread(
            portal.query,
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        figures.connections = max(figures.connections, count)
        await asyncio.sleep(LOOK_EVERY)


if __name__ == "__main__":
    main()
