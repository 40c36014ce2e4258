"""Providers' own limits on active tasks, enforced here by waiting, so that providers need not refuse.

Counted within this process. Several workers on one key may together exceed a limit; the
provider then responds that it is busy, and the submit is retried: see submission.py.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator

from editor.concurrency.per_loop import PerLoop
from editor.concurrency.semaphore import FairSemaphore
from editor.providers.base import EditRequest, Provider

# By provider, key (its hash) and name of the limit.
_semaphores: PerLoop[dict[tuple[str, str, str], FairSemaphore]] = PerLoop(dict)


@contextlib.asynccontextmanager
async def slots(provider: Provider, request: EditRequest, *, active: bool) -> AsyncIterator[None]:
    """Wait for and hold a slot of each of the provider's limits.

    active  the provider is already working on the task: it counts, but does not wait
    """
    semaphores = _semaphores.get()
    key = hashlib.sha256(request.account.key.encode()).hexdigest()
    # The narrowest first: a job waiting for it holds no slots that others could use.
    narrowest_first = sorted(provider.limits(request.target).items(), key=lambda limit: (limit[1], limit[0]))
    async with contextlib.AsyncExitStack() as stack:
        for name, most in narrowest_first:
            semaphore = semaphores.setdefault((provider.name, key, name), FairSemaphore(most))
            await stack.enter_async_context(semaphore.slot(request.tenant, occupied=active))
        yield
