from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from editor import processes
from editor.shortage import is_shortage
from tests import process_functions as functions
from tests.scarce import no_descriptors

ROOT = Path(__file__).parents[1]


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_dead(pid: int, seconds: float = 3.0) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def wait_for_pid(path: Path, seconds: float = 10.0) -> int:
    deadline = time.monotonic() + seconds
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline, "the child never started"
        time.sleep(0.02)
    return int(path.read_text())


def test_the_result_comes_back() -> None:
    assert processes.run_sync(functions.add, 2, 3, tenant="a", timeout=10) == 5


def test_the_function_runs_in_another_process_each_time() -> None:
    pids = {processes.run_sync(functions.pid, tenant="a", timeout=10) for _ in range(2)}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_an_exception_arrives_as_it_was_raised() -> None:
    with pytest.raises(LookupError, match="no such thing") as caught:
        processes.run_sync(functions.fail, "no such thing", tenant="a", timeout=10)
    assert "in fail" in caught.value.__notes__[0]


def test_an_exception_that_cannot_be_pickled_becomes_crashed() -> None:
    with pytest.raises(processes.Crashed, match="TwoArguments: no luck"):
        processes.run_sync(functions.fail_with_two_arguments, tenant="a", timeout=10)


def test_a_result_that_cannot_be_pickled_becomes_crashed() -> None:
    with pytest.raises(processes.Crashed, match="cannot be sent"):
        processes.run_sync(functions.return_a_lambda, tenant="a", timeout=10)


def test_progress_is_reported_in_order() -> None:
    seen: list[int] = []
    answer = processes.run_sync(functions.count_to_three, tenant="a", timeout=10, on_progress=seen.append)
    assert answer == "done"
    assert seen == [10, 50, 100]


async def test_progress_of_an_awaited_call_is_reported_on_the_event_loop() -> None:
    threads: set[threading.Thread] = set()
    answer = await processes.run(
        functions.count_to_three,
        tenant="a",
        timeout=10,
        on_progress=lambda percent: threads.add(threading.current_thread()),
    )
    assert answer == "done"
    assert threads == {threading.current_thread()}


def test_a_timeout_kills_the_child(tmp_path: Path) -> None:
    with pytest.raises(processes.TimedOut, match=r"0\.5 seconds"):
        processes.run_sync(functions.write_pid_and_sleep, str(tmp_path / "pid"), 60, tenant="a", timeout=0.5)
    assert wait_until_dead(int((tmp_path / "pid").read_text()))


def test_a_busy_loop_is_stopped_too() -> None:
    started = time.monotonic()
    with pytest.raises(processes.TimedOut):
        processes.run_sync(functions.spin, tenant="a", timeout=0.5)
    assert time.monotonic() - started < 3


async def test_cancelling_the_task_kills_the_child(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    task = asyncio.create_task(
        processes.run(functions.write_pid_and_sleep, str(path), 60, tenant="a", timeout=60)
    )
    child = await asyncio.to_thread(wait_for_pid, path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(wait_until_dead, child)


async def test_a_call_cancelled_in_the_queue_never_starts(tmp_path: Path) -> None:
    def call(name: str) -> asyncio.Task[None]:
        return asyncio.create_task(
            processes.run(functions.note_start, str(tmp_path), name, 0.3, tenant="a", timeout=10)
        )

    running = [call("running") for _ in range(processes.SLOTS)]
    waiting = call("waiting")
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.gather(*running)
    await processes.run(functions.pid, tenant="a", timeout=10)
    assert {path.name.split("-")[1] for path in tmp_path.iterdir()} == {"running"}


def test_a_memory_bomb_is_reported_and_leaves_the_parent_alone() -> None:
    with pytest.raises(processes.Crashed, match="memory"):
        processes.run_sync(functions.swallow_memory, tenant="a", timeout=10)


def test_a_machine_that_can_start_no_child_is_no_fault_of_the_work() -> None:
    processes.run_sync(functions.pid, tenant="a", timeout=10)
    with no_descriptors(), pytest.raises(Exception) as lacking:
        processes.run_sync(functions.pid, tenant="a", timeout=10)
    assert is_shortage(lacking.value)


def test_a_killed_child_is_reported_with_its_exit_code() -> None:
    with pytest.raises(processes.Crashed, match="-9"):
        processes.run_sync(functions.kill_yourself, tenant="a", timeout=10)


async def test_no_more_children_than_slots_run_at_once(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        for index in range(processes.SLOTS * 2):
            group.create_task(
                processes.run(functions.note_start, str(tmp_path), str(index), 0.4, tenant="a", timeout=10)
            )
    starts = sorted(int(path.name.split("-")[0]) for path in tmp_path.iterdir())
    assert starts[processes.SLOTS] - starts[0] >= 0.4e9


async def test_another_tenants_first_call_takes_the_next_free_slot(tmp_path: Path) -> None:
    def call(tenant: str) -> asyncio.Task[None]:
        return asyncio.create_task(
            processes.run(functions.note_start, str(tmp_path), tenant, 0.2, tenant=tenant, timeout=10)
        )

    many = [call("a") for _ in range(50)]
    await asyncio.sleep(0.1)
    asked = time.monotonic_ns()
    await call("b")
    starts = [path.name.split("-") for path in tmp_path.iterdir()]
    served = next(int(start) for start, tenant in starts if tenant == "b")
    overtaken_by = [start for start, tenant in starts if tenant == "a" and asked < int(start) < served]
    # Nobody overtakes in the queue; a few may start while b's own child is being started.
    assert len(overtaken_by) <= 2 * processes.SLOTS
    for task in many:
        task.cancel()
    await asyncio.gather(*many, return_exceptions=True)


PARENT = """
import sys, threading
from editor import processes
from tests import process_functions
def work():
    processes.run_sync(process_functions.write_pid_and_sleep, sys.argv[1], 60, tenant="a", timeout=60)
threading.Thread(target=work, daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_its_parent(tmp_path: Path, end: signal.Signals) -> None:
    path = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(path)], cwd=ROOT, stderr=subprocess.DEVNULL)
    child = wait_for_pid(path)
    parent.send_signal(end)
    parent.wait(5)
    assert wait_until_dead(child)


SCRIPT = """
from editor import processes
from tests import process_functions
if __name__ == "__main__":
    print(processes.run_sync(process_functions.add, 2, 3, tenant="a", timeout=10))
"""


@pytest.mark.parametrize("as_file", [False, True])
def test_it_works_from_any_main_module(tmp_path: Path, as_file: bool) -> None:
    script = tmp_path / "manage_like.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script)] if as_file else [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("5\n", "")
