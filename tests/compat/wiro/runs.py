"""Starting a run."""

from __future__ import annotations

from typing import Any

from editor.access import task_tokens
from editor.concurrency.threads import in_thread
from editor.models import Job

RUN = "Run/black-forest-labs/flux-2-pro"


async def run(ask: Any, **fields: Any) -> Job:
    """Start a run and return its job."""
    answer = await ask(RUN, prompt=fields.pop("prompt", "make it black and white"), **fields)
    assert answer["result"] is True, answer
    job: Job = await in_thread(Job.objects.get, number=int(answer["taskid"]))
    assert task_tokens.read(answer["socketaccesstoken"]) == job.id
    return job
