"""`python -m tests.emulators` runs all emulators and prints the portal's settings for them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.emulators.checks import http
from tests.emulators.registry import EMULATORS

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def free_ports(count: int) -> Iterator[int]:
    """The first of `count` consecutive ports. Until the end no request for a free port gets one of them."""
    for first in range(20000, 30000, count):
        with ExitStack() as kept:
            try:
                for port in range(first, first + count):
                    place = kept.enter_context(socket.socket())
                    place.bind(("127.0.0.1", port))
                    # Set after the bind: only sockets that set it too, as servers do, can share the port.
                    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            except OSError:
                continue
            yield first
            return
    raise AssertionError("no free ports")


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """The process, which does not outlive a failing test."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_all_emulators_run_by_hand_and_print_settings():
    with (
        free_ports(len(EMULATORS)) as first,
        running(sys.executable, "-m", "tests.emulators", "--port", str(first), "--seconds", "0.1") as process,
    ):
        assert process.stdout
        settings = {}
        while "KIE_UPLOAD_URL" not in settings:  # the last line of the last emulator
            name, _, value = process.stdout.readline().strip().partition("=")
            assert name, "it ended early"
            settings[name] = value
        ports = range(first, first + len(EMULATORS))
        for port in ports:
            assert http.get(f"http://127.0.0.1:{port}/_control").json()["tasks"] == 0
        key = {"x-key": settings["BFL_API_KEY"]}
        assert http.get(f"{settings['BFL_BASE_URL']}/v1/credits", headers=key).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0

    names = ("BFL", "WIRO", "OPENAI", "GOOGLE", "FAL", "KIE")
    assert {f"{name}_{what}" for name in names for what in ("BASE_URL", "API_KEY")} <= set(settings)
    assert settings["WIRO_API_SECRET"]
    assert settings["WIRO_SOCKET_URL"] == f"ws://127.0.0.1:{first + 1}/v1"
