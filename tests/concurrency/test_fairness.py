from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from editor.concurrency.fairness import FairExecutor
from tests.patience import PATIENCE


@dataclass
class Call:
    tenant: str
    done: threading.Event = field(default_factory=threading.Event)

    def execute(self) -> None:
        self.done.set()


def test_the_tenant_with_the_fewest_running_calls_is_served_first() -> None:
    executor = FairExecutor(slots=0)  # no threads: the test takes the calls itself
    for tenant in ["a"] * 50 + ["b"] * 2 + ["c"]:
        executor.submit(Call(tenant))
    assert [executor._take().tenant for _ in range(6)] == ["a", "b", "c", "a", "b", "a"]
    executor.submit(Call("d"))
    assert executor._take().tenant == "d"


def test_a_tenants_own_calls_keep_their_order() -> None:
    executor = FairExecutor(slots=0)
    calls = [Call("a") for _ in range(3)]
    for call in calls:
        executor.submit(call)
    assert [executor._take() for _ in range(3)] == calls


def test_threads_execute_all_calls() -> None:
    executor = FairExecutor(slots=2)
    calls = [Call(tenant) for tenant in "abcab" * 20]
    for call in calls:
        executor.submit(call)
    assert all(call.done.wait(PATIENCE) for call in calls)


def test_without_new_threads_the_existing_ones_do_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executor = FairExecutor(slots=2)
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", _no_thread)
        with pytest.raises(RuntimeError):
            executor.submit(Call("nobody is there to do it"))
    first = Call("a")
    executor.submit(first)
    assert first.done.wait(PATIENCE)
    second = Blocking("a")
    executor.submit(second)
    with monkeypatch.context() as scarce:
        scarce.setattr(threading.Thread, "start", _no_thread)
        third = Call("a")
        executor.submit(third)
    second.go_on.set()
    assert third.done.wait(PATIENCE)


@dataclass
class Blocking(Call):
    go_on: threading.Event = field(default_factory=threading.Event)

    def execute(self) -> None:
        self.go_on.wait(PATIENCE)
        super().execute()


def _no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
