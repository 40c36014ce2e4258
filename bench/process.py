"""Resource usage of a running process, from the kernel."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process, since its start.

    resident, most_resident  memory in bytes, now and at its peak
    cpu                      seconds of the process itself
    children_cpu             seconds of its descendants, including those that have ended
    """

    resident: int
    most_resident: int
    threads: int
    cpu: float
    children_cpu: float


def usage(pid: int) -> Usage:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    own, _, _ = _stat(pid)
    return Usage(
        resident=_bytes(status["VmRSS"]),
        most_resident=_bytes(status["VmHWM"]),
        threads=int(status["Threads"]),
        cpu=own,
        children_cpu=sum(own + reaped for own, reaped, parent in _all_stats() if parent == pid),
    )


def _bytes(text: str) -> int:
    """Parses "12345 kB"."""
    return int(text.split(maxsplit=1)[0]) * 1024


def _all_stats() -> Iterator[tuple[float, float, int]]:
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            yield _stat(int(path.name))


def _stat(pid: int) -> tuple[float, float, int]:
    """Seconds of the process and of its children that have ended, and the id of its parent."""
    _, parent, *others = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, children_user, children_system = map(int, others[9:13])
    return (user + system) / _TICKS, (children_user + children_system) / _TICKS, int(parent)
