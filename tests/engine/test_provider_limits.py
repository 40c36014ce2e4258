"""Slots under the providers' limits: fair between workspaces, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from editor.concurrency.semaphore import FairSemaphore
from editor.engine import provider_limits
from editor.providers.base import Account, EditRequest, Progress, Provider, Result, Submitted


class Limited(Provider):
    """A provider with these limits by target; `all` applies to every target."""

    name, label = "limited", "Limited"

    def __init__(self, **limits: int) -> None:
        self._limits = limits

    async def submit(self, request: EditRequest) -> Submitted:
        raise NotImplementedError

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        raise NotImplementedError

    def limits(self, target: str) -> Mapping[str, int]:
        return {name: most for name, most in self._limits.items() if name in (target, "all")}


class Job:
    """Acquires its slots, appends its name to `began`, and holds them until `end`."""

    def __init__(
        self,
        began: list[str],
        name: str,
        provider: Provider,
        *,
        target: str = "any",
        active: bool = False,
        key: str = "k",
    ) -> None:
        request = EditRequest(
            job_id=name, tenant=name[0], model="m", target=target, prompt="p", account=Account(key=key)
        )
        self._ended = asyncio.Event()
        self._task = asyncio.ensure_future(self._run(began, name, provider, request, active))

    async def _run(
        self, began: list[str], name: str, provider: Provider, request: EditRequest, active: bool
    ) -> None:
        async with provider_limits.slots(provider, request, active=active):
            began.append(name)
            await self._ended.wait()

    async def end(self) -> None:
        self._ended.set()
        await self._task
        await settle()

    def cancel(self) -> None:
        self._task.cancel()


async def settle() -> None:
    """Let every task run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def started(began: list[str], names: str, provider: Provider, **options: str) -> dict[str, Job]:
    """Jobs that request their slots in this order; the first letter of a name is its tenant."""
    jobs = {}
    for name in names.split():
        jobs[name] = Job(began, name, provider, **options)  # type: ignore[arg-type]
        await settle()
    return jobs


async def test_tenants_are_served_in_turn_and_jobs_of_a_tenant_in_order():
    began: list[str] = []
    jobs = await started(began, "a1 a2 a3 a4 b1 b2 c1", Limited(all=1))

    for _ in range(6):
        await jobs[began[-1]].end()

    assert began == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_a_tenant_with_hundreds_of_jobs_does_not_delay_the_first_of_another():
    began: list[str] = []
    many = " ".join(f"a{number}" for number in range(200))
    jobs = await started(began, f"{many} b0", Limited(all=24))

    for number in range(2):
        await jobs[f"a{number}"].end()

    assert began[-1] == "b0"


async def test_no_more_jobs_hold_slots_than_exist_and_all_get_one():
    began: list[str] = []
    jobs = await started(began, "a1 b1 a2 b2 a3", Limited(all=2))

    assert began == ["a1", "b1"]
    for name in ("a1", "b1", "a2", "b2", "a3"):
        await jobs[name].end()
    assert sorted(began) == ["a1", "a2", "a3", "b1", "b2"]


async def test_a_job_waiting_for_the_narrower_limit_holds_no_slot_of_the_wider():
    began: list[str] = []
    provider = Limited(all=2, max=1)
    await started(began, "a1 a2 a3", provider, target="max")

    await started(began, "b1", provider, target="other")

    assert began == ["a1", "b1"]


async def test_a_canceled_waiter_takes_no_slot():
    began: list[str] = []
    jobs = await started(began, "a1 a2 a3 b1", Limited(all=1))

    jobs["a2"].cancel()
    await settle()
    await jobs["a1"].end()

    assert began == ["a1", "a3"]
    await jobs["a3"].end()
    await jobs["b1"].end()
    await started(began, "c1", Limited(all=1))
    assert began == ["a1", "a3", "b1", "c1"]


async def test_a_waiter_canceled_as_it_is_served_passes_the_slot_on():
    began: list[str] = []
    semaphore = FairSemaphore(1)

    async def wait(tenant: str) -> None:
        async with semaphore.slot(tenant):
            began.append(tenant)

    async with semaphore.slot("a"):
        served, next_one = asyncio.ensure_future(wait("a")), asyncio.ensure_future(wait("b"))
        await settle()
    served.cancel()  # it has the slot, but has not run since

    await next_one
    assert began == ["b"]


async def test_an_active_task_counts_but_does_not_wait():
    began: list[str] = []
    provider = Limited(all=1)
    resumed = {name: Job(began, name, provider, active=True) for name in ("a1", "a2")}
    await settle()
    assert began == ["a1", "a2"]

    await started(began, "b1", provider)
    await resumed["a1"].end()
    assert began == ["a1", "a2"]
    await resumed["a2"].end()
    assert began == ["a1", "a2", "b1"]


async def test_keys_have_limits_of_their_own():
    began: list[str] = []
    await started(began, "a1", Limited(all=1), key="one")
    await started(began, "b1", Limited(all=1), key="another")

    assert began == ["a1", "b1"]
