from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from editor.concurrency import processes
from editor.shortage import is_shortage
from tests import process_functions as functions
from tests.concurrency.signs_of_life import is_written, wait_for_pid, wait_until_dead
from tests.patience import PATIENCE, until
from tests.scarce import no_descriptors


def timed_out(function: Callable[[str], None], path: Path) -> int:
    """The process id of a call that timed out, after it had enough time to write that id."""
    seconds = 0.5
    while not is_written(path):
        assert seconds < 2 * PATIENCE, "the child never started"
        with pytest.raises(processes.TimedOut, match=f"{seconds:g} seconds"):
            processes.run_sync(function, str(path), tenant="a", timeout=seconds)
        seconds *= 2
    return int(path.read_text())


def starts(folder: Path) -> list[tuple[int, str]]:
    """The start times of calls of `note_start`, in nanoseconds, with their names, sorted."""
    names = [path.name.split("-") for path in folder.iterdir()]
    return sorted((int(nanoseconds), name) for nanoseconds, name in names)


def test_the_result_is_returned() -> None:
    assert processes.run_sync(functions.add, 2, 3, tenant="a", timeout=PATIENCE) == 5


def test_the_function_runs_in_another_process_each_time() -> None:
    pids = {processes.run_sync(functions.pid, tenant="a", timeout=PATIENCE) for _ in range(2)}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_an_exception_is_raised_unchanged() -> None:
    with pytest.raises(LookupError, match="no such thing") as caught:
        processes.run_sync(functions.fail, "no such thing", tenant="a", timeout=PATIENCE)
    assert "in fail" in caught.value.__notes__[0]


def test_an_exception_that_cannot_be_pickled_becomes_crashed() -> None:
    with pytest.raises(processes.Crashed, match="TwoArguments: no luck"):
        processes.run_sync(functions.fail_with_two_arguments, tenant="a", timeout=PATIENCE)


def test_a_result_that_cannot_be_pickled_becomes_crashed() -> None:
    with pytest.raises(processes.Crashed, match="cannot be sent"):
        processes.run_sync(functions.return_a_lambda, tenant="a", timeout=PATIENCE)


def test_progress_is_reported_in_order() -> None:
    seen: list[int] = []
    answer = processes.run_sync(
        functions.count_to_three, tenant="a", timeout=PATIENCE, on_progress=seen.append
    )
    assert answer == "done"
    assert seen == [10, 50, 100]


async def test_progress_of_an_awaited_call_is_reported_on_the_event_loop() -> None:
    threads: set[threading.Thread] = set()
    answer = await processes.run(
        functions.count_to_three,
        tenant="a",
        timeout=PATIENCE,
        on_progress=lambda percent: threads.add(threading.current_thread()),
    )
    assert answer == "done"
    assert threads == {threading.current_thread()}


def test_a_timeout_kills_the_child(tmp_path: Path) -> None:
    wait_until_dead(timed_out(functions.write_pid_and_sleep, tmp_path / "pid"))


def test_a_busy_loop_is_stopped_too(tmp_path: Path) -> None:
    wait_until_dead(timed_out(functions.write_pid_and_spin, tmp_path / "pid"))


async def test_cancelling_the_task_kills_the_child(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    task = asyncio.create_task(
        processes.run(functions.write_pid_and_sleep, str(path), tenant="a", timeout=3600)
    )
    child = await asyncio.to_thread(wait_for_pid, path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(wait_until_dead, child)


def folder_and_signal(tmp_path: Path) -> tuple[Path, Path]:
    """The folder in which calls note their starts, and the file for which those wait that should end."""
    notes = tmp_path / "notes"
    notes.mkdir()
    return notes, tmp_path / "go"


def call(
    notes: Path, name: str, until: Path, *, tenant: str = "a", alone: bool = False
) -> asyncio.Task[None]:
    return asyncio.create_task(
        processes.run(
            functions.note_start_and_wait,
            str(notes),
            name,
            str(until),
            tenant=tenant,
            timeout=2 * PATIENCE,
            alone=alone,
        )
    )


async def test_a_call_cancelled_in_the_queue_never_starts(tmp_path: Path) -> None:
    notes, go = folder_and_signal(tmp_path)
    running = [call(notes, "running", go) for _ in range(processes.SLOTS)]
    await until(lambda: len(starts(notes)) == processes.SLOTS)
    waiting = call(notes, "waiting", go)
    await until(lambda: processes._executor(False)._waiting)
    waiting.cancel()
    go.touch()
    await asyncio.gather(*running)
    await processes.run(functions.pid, tenant="a", timeout=PATIENCE)
    assert {name for _, name in starts(notes)} == {"running"}


def test_a_memory_bomb_is_reported_and_leaves_the_parent_alone() -> None:
    with pytest.raises(processes.Crashed, match="memory"):
        processes.run_sync(functions.swallow_memory, tenant="a", timeout=PATIENCE)


def test_failing_to_start_a_child_is_a_shortage_and_not_a_crash() -> None:
    processes.run_sync(functions.pid, tenant="a", timeout=PATIENCE)
    with no_descriptors(), pytest.raises(Exception) as lacking:
        processes.run_sync(functions.pid, tenant="a", timeout=PATIENCE)
    assert is_shortage(lacking.value)


def test_a_killed_child_is_reported_with_its_exit_code() -> None:
    with pytest.raises(processes.Crashed, match="-9"):
        processes.run_sync(functions.kill_yourself, tenant="a", timeout=PATIENCE)


async def test_no_more_children_than_slots_run_at_once(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        for index in range(processes.SLOTS * 2):
            group.create_task(
                processes.run(
                    functions.note_start, str(tmp_path), str(index), 0.4, tenant="a", timeout=PATIENCE
                )
            )
    times = [time for time, _ in starts(tmp_path)]
    assert times[processes.SLOTS] - times[0] >= 0.4e9, "one had ended before"


async def test_calls_that_take_much_memory_run_one_at_a_time(tmp_path: Path) -> None:
    """Beside the others: two at once, of 1.9 GiB each, are more than a small server has."""
    notes, go = folder_and_signal(tmp_path)
    running = [call(notes, "small", go) for _ in range(processes.SLOTS)]
    large = [call(notes, "large", go, alone=True) for _ in range(3)]
    await until(lambda: len(starts(notes)) == processes.SLOTS + 1)
    await until(lambda: len(processes._executor(True)._waiting) == 1)
    assert processes._executor(True)._running.total() == 1
    go.touch()
    await asyncio.gather(*running, *large)
    assert len(starts(notes)) == processes.SLOTS + 3


def test_the_system_ends_a_child_first_when_memory_runs_out() -> None:
    assert processes.run_sync(functions.oom_score, tenant="a", timeout=PATIENCE) == 1000


async def test_another_tenants_first_call_takes_the_next_free_slot(tmp_path: Path) -> None:
    notes, go = folder_and_signal(tmp_path)
    running = [call(notes, "a", go) for _ in range(processes.SLOTS)]
    await until(lambda: len(starts(notes)) == processes.SLOTS)
    never = tmp_path / "never"
    many = [call(notes, "a", never) for _ in range(50)]
    first = call(notes, "b", go, tenant="b")
    await until(lambda: "b" in processes._executor(False)._waiting)
    go.touch()
    # The calls of "a" that get the other slots keep them.
    await asyncio.wait_for(first, PATIENCE)
    await asyncio.gather(*running)
    for task in many:
        task.cancel()
    await asyncio.gather(*many, return_exceptions=True)
