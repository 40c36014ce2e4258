"""Run all emulators on consecutive ports: `python -m tests.emulators --port 9000`.

Prints the portal's settings for them, one per line, and runs until Ctrl+C. See base.py for /_control.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Sequence

from tests.emulators.registry import EMULATORS


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.emulators", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=9000, help="of the first emulator")
    parser.add_argument("--seconds", type=float, default=5, help="how long each piece of work takes")
    options = parser.parse_args(arguments)
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before threads start, which inherit the mask
    with contextlib.ExitStack() as running:
        for port, emulator in enumerate(EMULATORS.values(), start=options.port):
            each = running.enter_context(emulator(host=options.host, port=port, seconds=options.seconds))
            for name, value in each.environment().items():
                sys.stdout.write(f"{name}={value}\n")
        sys.stdout.flush()
        signal.sigwait(signals)


if __name__ == "__main__":
    main()
