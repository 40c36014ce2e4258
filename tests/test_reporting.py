"""The summary of `make test`: each failed test by its name, in whatever phase it failed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.summary import summary

ROOT = Path(__file__).parents[1]
SUITE = """
import pytest
@pytest.fixture
def broken_end():
    yield
    raise ValueError
def test_passes(): pass
def test_fails(): assert False
def test_ends_badly(broken_end): pass
@pytest.mark.skip(reason="not here")
def test_is_left_out(): pass
"""
FAILED = ["test_suite.py::test_fails", "test_suite.py::test_ends_badly"]


def results(folder: Path, suite: str, *options: str) -> tuple[dict[str, object], str]:
    """The contents of the results file of a run, and its output."""
    (folder / "test_suite.py").write_text(suite)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:django", "-p", "no:randomly"]
    done = subprocess.run(
        [*command, "-p", "tests.reporting", "--results", "results/all.json", *options],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads((folder / "results" / "all.json").read_text()), done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_each_failed_test_is_named_once(tmp_path: Path, options: tuple[str, ...]) -> None:
    found, printed = results(tmp_path, SUITE, *options)
    assert (found["passed"], found["skipped"]) == (1, 1)
    assert sorted(found["failed"]) == sorted(FAILED)  # type: ignore[call-overload]
    for name in FAILED:
        assert f"FAILED {name}\n" in printed


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    found, _ = results(tmp_path, "import no_such_module")
    assert found == {"passed": 0, "skipped": 0, "failed": ["test_suite.py"]}


def write(folder: Path, name: str, *failed: str, passed: int = 3) -> Path:
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"passed": passed, "skipped": 0, "failed": failed}))
    return file


def test_all_passed(tmp_path: Path) -> None:
    assert summary([write(tmp_path, "one"), write(tmp_path, "two")]) == (["6 passed, 0 failed"], True)


def test_failures_are_reported_by_part_with_the_command_to_rerun_them(tmp_path: Path) -> None:
    assert summary([write(tmp_path, "one", "a.py::test_b"), write(tmp_path, "two")]) == (
        [
            "one: 1 failed",
            "    a.py::test_b",
            "To run just these again: make test ARGS=--last-failed",
            "6 passed, 1 failed",
        ],
        False,
    )


def test_a_part_that_did_not_end_or_ran_nothing_is_not_a_success(tmp_path: Path) -> None:
    lines, green = summary([write(tmp_path, "one", passed=0), tmp_path / "two.json"])
    assert lines == [
        "one: no test passed",
        "two: did not run to its end; its output above says why",
        "0 passed, 0 failed",
    ]
    assert not green
