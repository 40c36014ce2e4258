"""`python -m tests.emulators` runs them all and says how the portal is pointed at them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.emulators.__main__ import EMULATORS
from tests.emulators.checks import http

ROOT = Path(__file__).resolve().parents[2]


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on."""
    for first in range(20000, 30000, count):
        try:
            for port in range(first, first + count):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


def test_all_emulators_run_by_hand_and_print_settings():
    first = free_ports(len(EMULATORS))
    command = [sys.executable, "-m", "tests.emulators", "--port", str(first), "--seconds", "0.1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
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
        assert process.wait(5) == 0

    names = ("BFL", "WIRO", "OPENAI", "GOOGLE", "FAL", "KIE")
    assert {f"{name}_{what}" for name in names for what in ("BASE_URL", "API_KEY")} <= set(settings)
    assert settings["WIRO_API_SECRET"]
    assert settings["WIRO_SOCKET_URL"] == f"ws://127.0.0.1:{first + 1}/v1"
