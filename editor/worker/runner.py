"""The worker: runs jobs from the queue, and cleans up after dead workers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from channels.layers import get_channel_layer
from procrastinate.connector import BaseAsyncConnector
from procrastinate.contrib.django import DjangoApp, app

from editor import events
from editor.concurrency import threads
from editor.concurrency.threads import in_storage_thread, in_thread
from editor.engine import housekeeping, wakeups
from editor.operations import (
    allowances,
    approvals,
    audit,
    deletions,
    key_expiry,
    nonces,
    notices,
    orphans,
    queue,
    quotes,
    search,
    sessions,
    trash,
    uploads,
    usage_mails,
)
from editor.operations.webhooks import deliveries
from editor.providers import http

log = logging.getLogger("editor.worker")

RESCUE_EVERY = 3  # seconds
REQUEUE_EVERY = 15  # seconds
PURGE_EVERY = 3600  # seconds
FORGET_UPLOADS_EVERY = 60  # seconds
FORGET_NONCES_EVERY = 60  # seconds
SWEEP_EVERY = 300  # seconds
RENEW_EVERY = 60  # seconds
RESTART_AFTER = 1  # seconds
AT_ONCE = 2000  # tasks per queue
MAILS_AT_ONCE = 4
RENEW_AFTER = 3600  # seconds


async def run_worker() -> None:
    """Work until cancelled. Losing the database only causes a pause."""
    threads.pool.set(threads.ENGINE)
    sweeps = [
        asyncio.create_task(_every(RESCUE_EVERY, housekeeping.rescue)),
        asyncio.create_task(_every(REQUEUE_EVERY, housekeeping.requeue_lost)),
        asyncio.create_task(_every(REQUEUE_EVERY, deliveries.requeue_lost)),
        asyncio.create_task(_every(PURGE_EVERY, trash.purge, run=in_storage_thread)),
        asyncio.create_task(_every(PURGE_EVERY, deliveries.purge)),
        asyncio.create_task(_every(SWEEP_EVERY, deletions.sweep, run=in_storage_thread)),
        asyncio.create_task(_every(FORGET_UPLOADS_EVERY, uploads.purge, run=in_storage_thread)),
        asyncio.create_task(_every(FORGET_NONCES_EVERY, nonces.forget)),
        asyncio.create_task(_every(SWEEP_EVERY, orphans.Sweep().step, run=in_storage_thread)),
        asyncio.create_task(_every(SWEEP_EVERY, housekeeping.forget_queue_rows)),
        asyncio.create_task(_every(PURGE_EVERY, search.add_missing)),
        asyncio.create_task(_every(SWEEP_EVERY, audit.purge)),
        asyncio.create_task(_every(SWEEP_EVERY, sessions.forget)),
        asyncio.create_task(_every(SWEEP_EVERY, quotes.forget)),
        asyncio.create_task(_every(SWEEP_EVERY, key_expiry.mail_expiring)),
        asyncio.create_task(_every(SWEEP_EVERY, usage_mails.mail_monthly)),
        asyncio.create_task(_every(RENEW_EVERY, allowances.renew_due)),
        asyncio.create_task(_every(SWEEP_EVERY, notices.forget)),
        asyncio.create_task(_every(SWEEP_EVERY, approvals.lapse)),
        asyncio.create_task(_receive_wakeups()),
    ]
    try:
        while True:
            try:
                await _work()
            except Exception:
                log.warning("the worker lost its queue; it starts again", exc_info=True)
            await asyncio.sleep(RESTART_AFTER)
    finally:
        for sweep in sweeps:
            sweep.cancel()
        await asyncio.gather(*sweeps, return_exceptions=True)
        await http.close()


async def _work() -> None:
    # A separate app with the same tasks: the shared one must keep Django's connector, or jobs
    # that a task defers inside a transaction would survive that transaction's rollback.
    app.perform_import_paths()  # type: ignore[no-untyped-call]
    connector = await in_thread(app.connector.get_worker_connector)  # type: ignore[attr-defined]
    worker_app = DjangoApp(connector=connector)
    worker_app.tasks = app.tasks
    worker_app.periodic_registry = app.periodic_registry
    # Separate workers, so that jobs do not wait for slow webhook receivers or mail servers.
    async with _opened(connector), asyncio.TaskGroup() as workers:
        workers.create_task(_work_on(worker_app, queue.JOBS))
        workers.create_task(_work_on(worker_app, queue.WEBHOOKS))
        workers.create_task(_work_on(worker_app, queue.MAILS, at_once=MAILS_AT_ONCE))


@contextlib.asynccontextmanager
async def _opened(connector: BaseAsyncConnector) -> AsyncIterator[None]:
    """The connector with its pool open.

    Opening is never interrupted: an abandoned pool's tasks would keep the event loop from closing.
    """
    opening = asyncio.ensure_future(connector.open_async())
    try:
        await asyncio.shield(opening)
        yield
    finally:
        await asyncio.wait({opening})
        await connector.close_async()


async def _work_on(worker_app: DjangoApp, name: str, *, at_once: int | None = None) -> None:
    await worker_app.run_worker_async(
        queues=[name],
        concurrency=at_once or AT_ONCE,
        delete_jobs="successful",
        fetch_job_polling_interval=1.0,
        abort_job_polling_interval=1.0,
        update_heartbeat_interval=2.0,
        stalled_worker_timeout=housekeeping.STALLED_AFTER,
        shutdown_graceful_timeout=1.0,
        install_signal_handlers=False,
    )


async def _receive_wakeups() -> None:
    """Forward wake-ups from provider callbacks, which may arrive in another process."""
    while True:
        try:
            layer = get_channel_layer()
            channel = await layer.new_channel()
            while True:
                # Renewed from time to time: group memberships expire after a day.
                await layer.group_add(events.WORKERS, channel)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RENEW_AFTER):
                        while True:
                            message = await layer.receive(channel)
                            wakeups.wake(UUID(message["job_id"]))
        except Exception:
            log.warning("cannot receive wake-ups from callbacks; trying again", exc_info=True)
            await asyncio.sleep(RESTART_AFTER)


async def _every(
    seconds: float,
    sweep: Callable[[], int],
    *,
    run: Callable[[Callable[[], int]], Awaitable[int]] = in_thread,
) -> None:
    while True:
        try:
            await run(sweep)
        except Exception:
            log.warning("a sweep failed; it is tried again in %s s", seconds, exc_info=True)
        await asyncio.sleep(seconds)
