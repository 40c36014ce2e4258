"""Whether a process lives, and what it wrote."""

from __future__ import annotations

from pathlib import Path

from tests.patience import wait_until


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_dead(pid: int) -> None:
    wait_until(lambda: not is_alive(pid), "the child's end")


def is_written(path: Path) -> bool:
    return path.exists() and bool(path.read_text())


def wait_for_pid(path: Path) -> int:
    wait_until(lambda: is_written(path), "the child's start")
    return int(path.read_text())
