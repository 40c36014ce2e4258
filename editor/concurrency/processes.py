"""Run a function in its own child process, shared fairly between tenants.

Image processing must not block the event loop, must be killable, and must not take the
portal down if an image is a decompression bomb. So each call gets one short-lived child
with limited memory and time. Children come from a fork server with Pillow already loaded,
so starting one takes about ten milliseconds.

At most `SLOTS` children run at once, and one more that takes much memory; `fairness.py` decides who gets
a free slot.

The function must be importable by name, and its arguments and result picklable. A child
imports the main module too, so a script must guard its work with `__name__ == "__main__"`.
Nothing starts when this module is imported.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, TypeVar

from editor.concurrency.fairness import FairExecutor
from editor.shortage import Shortage

T = TypeVar("T")

log = logging.getLogger("editor.concurrency.processes")

SLOTS = max(2, os.cpu_count() or 2)
MEMORY_LIMIT = 2 * 1024**3  # bytes of address space for each child
EXIT_GRACE = 1.0  # seconds to wait for the exit code of a child that is ending

# Modules that the fork server imports once for all children.
_preloaded = [
    "editor.concurrency.processes",
    "PIL.Image",
    "PIL.JpegImagePlugin",
    "PIL.PngImagePlugin",
    "PIL.WebPImagePlugin",
]


class TimedOut(Exception):
    """The child exceeded its time limit and was killed."""


class Crashed(Exception):
    """The child ended without a result: killed, out of memory, or the result cannot be sent."""


def preload(*modules: str) -> None:
    """Have children start with these modules imported. Call on import, before the first `run`.

    For modules whose functions are run; importing them must not start anything.
    """
    _preloaded.extend(modules)


def run_sync(
    function: Callable[..., T],
    *args: Any,
    tenant: str,
    timeout: float,
    on_progress: Callable[[int], None] | None = None,
    alone: bool = False,
) -> T:
    """Call `function(*args)` in a child process and block this thread until it returns.

    tenant       an opaque key; slots are shared fairly between tenants
    timeout      seconds the child may run; waiting for a slot does not count
    on_progress  called with a percent 0..100, from another thread; `function` then gets
                 the keyword argument `report` to call with it
    alone        it takes much memory: one such call runs at a time

    Raises what the function raised (if it can be pickled), TimedOut, Crashed, or Shortage if the
    machine could not start a child.
    """
    call = _Call(function, args, tenant=tenant, timeout=timeout, on_progress=on_progress)
    _executor(alone).submit(call)
    try:
        result: T = call.future.result()
    except BaseException:
        # Also for a KeyboardInterrupt in this thread; killing a child that has ended does nothing.
        call.kill()
        raise
    return result


async def run(
    function: Callable[..., T],
    *args: Any,
    tenant: str,
    timeout: float,
    on_progress: Callable[[int], None] | None = None,
    alone: bool = False,
) -> T:
    """Like `run_sync`, without blocking the event loop. `on_progress` is called on the loop.

    Cancelling the awaiting task kills the child, or removes the call from the queue.
    """
    loop = asyncio.get_running_loop()

    def relay(percent: int) -> None:
        # The loop may have been closed while the child was still reporting.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(on_progress, percent)  # type: ignore[arg-type]

    progress = relay if on_progress is not None else None
    call = _Call(function, args, tenant=tenant, timeout=timeout, on_progress=progress)
    _executor(alone).submit(call)
    try:
        result: T = await asyncio.wrap_future(call.future)
    except asyncio.CancelledError:
        call.kill()
        raise
    return result


@dataclass(eq=False)
class _Call:
    """One call: waiting, then running in `_process`, then done in `future`."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    tenant: str
    timeout: float
    on_progress: Callable[[int], None] | None = None
    future: Future[Any] = field(default_factory=Future)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _process: ForkServerProcess | None = None
    _killed: bool = False

    def kill(self) -> None:
        """Remove the call from the queue or kill the child. Does nothing if it has ended."""
        self.future.cancel()
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def execute(self) -> None:
        """Run the child to its end and resolve the future. Called by a thread of the executor."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._run_child()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def _run_child(self) -> Any:
        receiver, sender = _context().Pipe(duplex=False)
        with receiver:
            process = _context().Process(
                target=_child_main,
                args=(sender, self.function, self.args, self.timeout, self.on_progress is not None),
                daemon=True,  # children are killed when the interpreter exits
            )
            with sender, _bookkeeping:
                try:
                    process.start()
                except (OSError, EOFError) as error:
                    # The machine lacked a resource: the call itself is not at fault.
                    raise Shortage("The portal is overloaded. Try again in a moment.") from error
            with self._lock:
                self._process = process
                if self._killed:
                    process.kill()
            try:
                return self._listen(process, receiver)
            finally:
                with self._lock:
                    self._process = None
                process.kill()
                with _bookkeeping:
                    process.join()

    def _listen(self, process: ForkServerProcess, receiver: Connection) -> Any:
        deadline = time.monotonic() + self.timeout
        while receiver.poll(max(0.0, deadline - time.monotonic())):
            try:
                kind, value = receiver.recv()
            except (EOFError, OSError):
                raise self._missing_result(process) from None
            if kind == "progress":
                assert self.on_progress is not None
                self.on_progress(value)
            elif kind == "result":
                return value
            else:
                raise value
        raise TimedOut(f"The work took longer than {self.timeout:g} seconds and was stopped.")

    def _missing_result(self, process: ForkServerProcess) -> Exception:
        """Why a child ended without a result."""
        with _bookkeeping:
            process.join(EXIT_GRACE)
        if process.exitcode == -signal.SIGXCPU:
            return TimedOut(f"The work used more than {self.timeout:g} seconds of processor time.")
        return Crashed(f"The child process ended without an answer (exit code {process.exitcode}).")


@cache
def _executor(alone: bool) -> FairExecutor:
    if alone:
        return FairExecutor(1)
    executor = FairExecutor(SLOTS)
    check = _Call(_not_imported, (_preloaded,), tenant="", timeout=60)
    check.future.add_done_callback(_log_failed_preloads)
    executor.submit(check)
    return executor


def _not_imported(modules: list[str]) -> list[str]:
    return [name for name in modules if name not in sys.modules]


def _log_failed_preloads(check: Future[list[str]]) -> None:
    """The fork server itself does not report modules that it cannot import."""
    if error := check.exception():  # the portal may be about to end
        log.info("it was not found out which modules child processes start with: %r", error)
    elif missing := check.result():
        log.warning("child processes start slowly: the fork server cannot import %s", ", ".join(missing))


@cache
def _context() -> ForkServerContext:
    # The fork server is a new interpreter: without this it finds the portal only in its working directory.
    path = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_preloaded)
    return context


# multiprocessing's list of children and the exit codes are not thread-safe.
_bookkeeping = threading.Lock()


def _child_main(
    sender: Connection,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    timeout: float,
    wants_progress: bool,
) -> None:
    """The main function of a child: set limits, run the call, send one result."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl+C
    threading.Thread(target=_die_with_parent, daemon=True).start()
    _limit(resource.RLIMIT_CPU, math.ceil(timeout) + 1)
    _limit(resource.RLIMIT_AS, MEMORY_LIMIT)
    # When the machine is out of memory, the system ends this process rather than the portal or the database.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")

    def report(percent: int) -> None:
        sender.send(("progress", max(0, min(100, int(percent)))))

    try:
        answer = ("result", function(*args, report=report) if wants_progress else function(*args))
    except MemoryError:
        answer = ("error", Crashed("The work needed more memory than it is allowed."))
    except Exception as error:
        answer = ("error", _sendable(error))
    try:
        sender.send(answer)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        sender.send(("error", Crashed(f"The answer cannot be sent to the parent: {error}")))


def _limit(kind: int, value: int) -> None:
    """Set the soft limit to `value`, or to the hard limit if that is lower."""
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, hard))


def _die_with_parent() -> None:
    """End this child as soon as the parent has ended, even if it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _sendable(error: Exception) -> Exception:
    """The error itself if it can be pickled, else a Crashed that describes it."""
    error.add_note("In the child process:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - bytes made on this line
    except Exception:
        return Crashed(f"{type(error).__name__}: {error}")
    return error
