"""Providers' own limits on active tasks, kept by waiting here instead of being refused there.

They are counted within this process. Several workers on one key may together exceed a limit; the
provider then answers that it is busy, and the submit is tried again: see submission.py.
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
    """Hold a slot of each of the provider's limits, waiting for it first.

    active  the provider is working on the task already: it counts, and need not wait
    """
    semaphores = _semaphores.get()
    key = hashlib.sha256(request.account.key.encode()).hexdigest()
    # The narrowest first: whoever waits for it holds nothing that others could use.
    narrowest_first = sorted(provider.limits(request.target).items(), key=lambda limit: (limit[1], limit[0]))
    async with contextlib.AsyncExitStack() as stack:
        for name, most in narrowest_first:
            semaphore = semaphores.setdefault((provider.name, key, name), FairSemaphore(most))
            await stack.enter_async_context(semaphore.slot(request.tenant, occupied=active))
        yield
