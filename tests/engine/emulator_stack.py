"""Platform edits at the emulators of all six providers at once, each as if its provider were the only one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from pytest_django import Settings

from editor.access.actor import Actor
from editor.engine import execution
from editor.models import Job
from editor.net import policy
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers import http
from tests.emulators.base import Emulator
from tests.emulators.registry import EMULATORS
from tests.factories import make_actor, make_image

KONTEXT, FLARE = "black-forest-labs/flux-kontext-pro", "openai/gpt-image-2.6-flare"
GEMINI = "google/gemini-3-pro-image"
MODELS = {name: {"openai": FLARE, "google": GEMINI}.get(name, KONTEXT) for name in EMULATORS}
PROMPT = "a quiet harbour"
BALANCE = 100


@contextmanager
def running(keys: Mapping[str, str] | None = None) -> Iterator[dict[str, Emulator]]:
    """Run all emulators; `keys` are the keys that they accept instead of their own."""
    keys = keys or {}
    policy.allow(["127.0.0.0/8"])
    with ExitStack() as stack:
        stack.callback(policy.allow, [])
        yield {
            name: stack.enter_context(make(key=keys[name]) if name in keys else make())
            for name, make in EMULATORS.items()
        }


def reach(settings: Settings, emulators: Mapping[str, Emulator], *, keyed: Iterable[str]) -> None:
    """Configure the portal to call the emulators, with keys of its own for those in `keyed`."""
    keyed = set(keyed)
    settings.PROVIDERS = {
        name: {
            "base_url": emulator.url,
            "key": emulator.key if name in keyed else "",
            "secret": (emulator.secret or "") if name in keyed else "",
        }
        for name, emulator in emulators.items()
    }


def submit_alone(
    settings: Settings, emulators: Mapping[str, Emulator], provider: str, *, picture: bool = False
) -> tuple[Actor, Job]:
    """Submit an edit of a new workspace to this provider, with no other route left."""
    actor = make_actor(balance=BALANCE)
    images = (make_image(actor).id,) if picture else ()
    reach(settings, emulators, keyed=[provider])
    request = NewEdit(prompt=PROMPT, model=MODELS[provider], image_ids=images)
    job = jobs.submit(actor=actor, request=request)
    change(job, tried_providers=[name for name in emulators if name != provider])
    reach(settings, emulators, keyed=emulators)
    return actor, job


def change(job: Job, **columns: Any) -> None:
    Job.objects.filter(pk=job.pk).update(**columns)


def run(*many: Job, beside: Callable[[], Awaitable[None]] | None = None) -> None:
    """Run all jobs to their ends in one worker, and `beside` at the same time."""

    async def all_of_them() -> None:
        try:
            await asyncio.gather(*(execution.run(job.id) for job in many), *([beside()] if beside else []))
        finally:
            await http.close()

    asyncio.run(all_of_them())
    for job in many:
        job.refresh_from_db()
