"""Functions that the tests of `editor.concurrency.processes` run in child processes.

They are separate from the tests so that a child need not import pytest.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path


class TwoArguments(Exception):
    """Cannot be unpickled: its args do not fit its constructor."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def add(left: int, right: int) -> int:
    return left + right


def pid() -> int:
    return os.getpid()


def oom_score() -> int:
    return int(Path("/proc/self/oom_score_adj").read_text())


def is_imported(module: str) -> bool:
    return module in sys.modules


def fail(message: str) -> None:
    raise LookupError(message)


def fail_with_two_arguments() -> None:
    raise TwoArguments("no", "luck")


def return_a_lambda() -> Callable[[], None]:
    return lambda: None


def count_to_three(*, report: Callable[[int], None]) -> str:
    for percent in (10, 50, 100):
        report(percent)
    return "done"


def write_pid_and_sleep(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    while True:
        time.sleep(3600)


def write_pid_and_spin(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    while True:
        pass


def swallow_memory() -> int:
    return len(bytearray(64 * 1024**3))


def kill_yourself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def note_start(folder: str, name: str, seconds: float) -> None:
    path = Path(folder) / f"{time.monotonic_ns()}-{name}"
    path.touch()
    time.sleep(seconds)


def note_start_and_wait(folder: str, name: str, until: str) -> None:
    """Wait until the file `until` exists."""
    note_start(folder, name, 0)
    while not Path(until).exists():
        time.sleep(0.02)
