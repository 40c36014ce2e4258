"""Benchmarks many edits in flight at a provider: `make bench-flights`. Takes about ten minutes.

The provider is the emulator of fal on this machine, whose own work adds to the load. All edits are
queued when the worker starts, so it is late from the start: the figures show how late.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import table
from bench.portal import OWNER, SLUG, WORKSPACE, run_inside, running_portal
from bench.process import Usage, usage
from tests.e2e.portal import ROOT, Portal
from tests.emulators.fal import Fal

MODEL = "black-forest-labs/flux-kontext-pro"
SETTLE = 3.0  # seconds until a started worker counts as idle
LOOK_EVERY = 1.0  # seconds
PATIENCE = 600.0  # seconds
KILO, MEGA = 1000, 1_000_000


class Provider(Fal):
    """fal without a limit of its own; sends callbacks over plain HTTP, as the portal has no proxy here."""

    def __init__(self, *, seconds: float, longest_side: int) -> None:
        super().__init__(seconds=seconds, longest_side=longest_side)
        self.queue.concurrency = 1_000_000

    async def send_callback(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        await super().send_callback(url.replace("https:", "http:", 1), body, headers)


@dataclass(frozen=True, slots=True)
class Run:
    what: str
    apart: bool = False
    callbacks: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """`late`: seconds from completion at the provider to the stored result, of each edit, sorted.

    connections  peak number of database connections of all processes
    in_flight    peak number of edits at the provider
    """

    idle: Usage
    after: Usage
    seconds: float
    completed: int
    late: list[float]
    polls: list[int]
    threads: int
    connections: int
    in_flight: int


RUNS = (
    Run("one process"),
    Run("one process, callbacks", callbacks=True),
    Run("worker apart", apart=True),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.flights", description=__doc__)
    parser.add_argument("--edits", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=20, help="how long the provider works on each")
    parser.add_argument("--longest-side", type=int, default=64, help="pixels of the results")
    parser.add_argument("--only", help="the run whose name this is")
    options = parser.parse_args()
    for run in RUNS:
        if options.only in (None, run.what):
            sys.stderr.write(f"==> {run.what}\n")
            with Provider(seconds=options.seconds, longest_side=options.longest_side) as provider:
                figures = _measure(run, provider, options.edits)
            table.show(
                f"{run.what}: {options.edits:,} edits of {options.seconds:g} s, results of "
                f"{options.longest_side} pixels "
                f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)",
                ("", "figure"),
                _rows(figures, options.edits),
            )


def _rows(figures: Figures, edits: int) -> list[tuple[str, str]]:
    idle, after = figures.idle, figures.after
    grown = after.most_resident - idle.resident
    return [
        ("completed", f"{figures.completed:,}"),
        ("seconds in all", f"{figures.seconds:.0f}"),
        ("in flight at once, at most", f"{figures.in_flight:,}"),
        ("memory idle, at most: MB", f"{idle.resident / MEGA:.0f}, {after.most_resident / MEGA:.0f}"),
        ("memory for each in flight: kB", f"{grown / KILO / max(1, figures.in_flight):.0f}"),
        ("CPU an edit: ms", f"{(after.cpu - idle.cpu) * 1000 / edits:.1f}"),
        (
            "the same, in child processes (images): ms",
            f"{(after.children_cpu - idle.children_cpu) * 1000 / edits:.1f}",
        ),
        (
            "polls an edit: mean, most",
            f"{sum(figures.polls) / len(figures.polls):.1f}, {max(figures.polls)}",
        ),
        (
            "provider's end to stored result: p50, p99, ms",
            f"{_percentile(figures.late, 50) * 1000:.0f}, {_percentile(figures.late, 99) * 1000:.0f}",
        ),
        ("threads, at most", str(figures.threads)),
        ("database connections, at most", str(figures.connections)),
    ]


def _percentile(values: list[float], percent: int) -> float:
    """The smallest value that `percent` percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


# --- Measuring ---------------------------------------------------------------------------


def _measure(run: Run, provider: Provider, edits: int) -> Figures:
    environment = {**provider.environment(), "OUTBOUND_ALLOW": "127.0.0.0/8", "LOG_LEVEL": "WARNING"}
    with running_portal("--no-worker", **environment) as portal:
        if run.callbacks:
            portal.environment["BASE_URL"] = portal.url.replace("http:", "https:")
        portal.bootstrap(email=OWNER, workspace=WORKSPACE, credits=100 * edits, concurrent_jobs=str(edits))
        with _worker(run, portal) as pid:
            time.sleep(SETTLE)
            idle = usage(pid)
        run_inside(
            portal, f"from bench.submitting import submit; submit({SLUG!r}, model={MODEL!r}, edits={edits})"
        )
        with _worker(run, portal) as pid:
            return _watch(portal, provider, pid, edits, idle)


@contextmanager
def _worker(run: Run, portal: Portal) -> Iterator[int]:
    """The id of the process that runs the jobs: a separate worker, or the portal itself."""
    if run.apart:
        with portal.log.open("ab") as log:
            command = [sys.executable, "manage.py", "worker"]
            process = subprocess.Popen(command, cwd=ROOT, env=portal.environment, stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(40)
    else:
        portal.stop()
        portal.start()
        assert portal.process is not None
        yield portal.process.pid
        portal.stop()
        portal.start("--no-worker")


def _watch(portal: Portal, provider: Provider, pid: int, edits: int, idle: Usage) -> Figures:
    began = time.monotonic()
    threads = connections = in_flight = ended = 0
    while ended < edits:
        if time.monotonic() - began > PATIENCE:
            raise TimeoutError(f"{ended} of {edits} edits have ended after {PATIENCE:g} s")
        time.sleep(LOOK_EVERY)
        [(ended,)] = portal.query("SELECT count(*) FROM editor_job WHERE finished_at IS NOT NULL")
        [(others,)] = portal.query(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        threads = max(threads, usage(pid).threads)
        connections = max(connections, others)
        in_flight = max(in_flight, len(provider.active()))
    after = usage(pid)
    stored = dict(
        portal.query(
            "SELECT provider_task_id, extract(epoch FROM finished_at)::float8 FROM editor_job "
            "WHERE status = 'completed'"
        )
    )
    late = [stored[task.id] - task.ends_at for task in provider.tasks if task.id in stored]
    return Figures(
        idle=idle,
        after=after,
        seconds=time.monotonic() - began,
        completed=len(stored),
        late=sorted(late),
        polls=[task.polls for task in provider.tasks],
        threads=threads,
        connections=connections,
        in_flight=in_flight,
    )


if __name__ == "__main__":
    main()
