"""`python -m tests.summary FILE...`: the failures of each part of the tests, and how to rerun them.

Each file belongs to one part, written by `tests.reporting`. Exits with 1 unless all parts ended and passed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def summary(files: list[Path]) -> tuple[list[str], bool]:
    """The lines to print, and whether all parts ended without failures. The last line has the counts."""
    lines: list[str] = []
    passed = skipped = failed = 0
    green = bool(files)
    for file in files:
        if not file.exists():
            lines.append(f"{file.stem}: did not run to its end; its output above says why")
            green = False
            continue
        part = json.loads(file.read_text())
        passed += part["passed"]
        skipped += part["skipped"]
        failed += len(part["failed"])
        if not part["passed"]:
            lines.append(f"{file.stem}: no test passed")
            green = False
        if part["failed"]:
            lines.append(f"{file.stem}: {len(part['failed'])} failed")
            lines.extend(f"    {name}" for name in part["failed"])
    if failed:
        green = False
        lines.append("To run just these again: make test ARGS=--last-failed")
    counts = f"{passed} passed, {failed} failed"
    lines.append(f"{counts}, {skipped} skipped" if skipped else counts)
    return lines, green


if __name__ == "__main__":
    lines, green = summary([Path(argument) for argument in sys.argv[1:]])
    print(*lines, sep="\n")  # noqa: T201 - the program's output
    sys.exit(not green)
