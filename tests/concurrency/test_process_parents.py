"""Child processes of parents of any kind: they end with them, and need nothing of their main module."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.concurrency.signs_of_life import is_alive, is_written, wait_for_pid, wait_until_dead
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


PARENT = """
import signal, sys, threading
# As a shell starts it, however the tests were started: in the background, SIGINT may be ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
from editor.concurrency import processes
from tests import process_functions
def work():
    processes.run_sync(process_functions.write_pid_and_sleep, sys.argv[1], tenant="a", timeout=3600)
threading.Thread(target=work, daemon=True).start()
threading.Event().wait()
"""


@contextlib.contextmanager
def started(path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A parent and the id of its child; both are killed afterwards in any case."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(path)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield parent, wait_for_pid(path)
    finally:
        parent.kill()
        parent.wait()
        if is_written(path) and is_alive(child := int(path.read_text())):
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_its_parent(tmp_path: Path, end: signal.Signals) -> None:
    with started(tmp_path / "pid") as (parent, child):
        parent.send_signal(end)
        parent.wait(PATIENCE)
        wait_until_dead(child)


SCRIPT = """
from editor.concurrency import processes
from tests import process_functions
if __name__ == "__main__":
    print(processes.run_sync(process_functions.add, 2, 3, tenant="a", timeout=60))
"""


@pytest.mark.parametrize("as_file", [False, True])
def test_it_works_with_any_main_module(tmp_path: Path, as_file: bool) -> None:
    script = tmp_path / "manage_like.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script)] if as_file else [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("5\n", "")


# As a service starts `manage.py`: its folder is on the path, regardless of the working directory.
ELSEWHERE = f"""
import logging, sys, threading
sys.path.insert(0, {str(ROOT)!r})
from editor.concurrency import processes
from tests import process_functions
warned = threading.Event()
class Handler(logging.Handler):
    def emit(self, record):
        print(record.getMessage(), flush=True)
        warned.set()
logging.getLogger("editor.concurrency.processes").addHandler(Handler())
def run(function, *args):
    return processes.run_sync(function, *args, tenant="a", timeout={PATIENCE})
"""


IMPORTS = """
if __name__ == "__main__":
    processes.preload("editor.media.masks")
    print(run(process_functions.is_imported, "editor.media.masks"))
"""


CANNOT_IMPORT = f"""
if __name__ == "__main__":
    processes.preload("editor.no_such_module")
    run(process_functions.pid)
    warned.wait({PATIENCE})
"""


WARNING = "child processes start slowly: the fork server cannot import editor.no_such_module"


@pytest.mark.parametrize(
    ("script", "output"),
    [(IMPORTS, "True"), (CANNOT_IMPORT, WARNING)],
    ids=["imported", "cannot be imported"],
)
def test_children_preload_modules_from_any_folder_or_log_a_warning(
    tmp_path: Path, script: str, output: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE + script],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{output}\n", "")
