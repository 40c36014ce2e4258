"""A pytest plugin for long runs: shows the time left, and writes the failures for `tests.summary`.

`-p tests.reporting --results FILE`; `make test` passes both.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

EVERY = 20  # seconds between lines of progress, if the output is not a terminal


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", metavar="FILE", type=Path, help="write counts and failed tests as JSON")


@pytest.hookimpl(trylast=True)  # the terminal reporter exists by then
def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if is_worker or not (results := config.getoption("results")):
        return
    results.unlink(missing_ok=True)
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    assert isinstance(terminal, pytest.TerminalReporter)
    config.pluginmanager.register(Progress(results, terminal))


class Progress:
    """Counts tests as they end. On a terminal, each line of progress overwrites the previous one."""

    def __init__(self, results: Path, terminal: pytest.TerminalReporter) -> None:
        self.results, self.terminal, self.rewrites = results, terminal, terminal.isatty
        self.total = self.ended = 0
        self.passed: set[str] = set()
        self.skipped: set[str] = set()
        self.failed: list[str] = []
        self.began = self.shown = time.monotonic()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.total = max(self.total, len(session.items))
        self.began = time.monotonic()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self.total = len(ids)
        self.began = time.monotonic()

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """Outcomes without letters: failed tests are named as they end."""
        if report.when == "call" or report.skipped:
            return report.outcome, "", ""
        return ("error" if report.failed else ""), "", ""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._fail(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._fail(report.nodeid)
        elif report.skipped:
            self.skipped.add(report.nodeid)
        elif report.when == "call":
            self.passed.add(report.nodeid)
        if report.when == "teardown":
            self.ended += 1
            self._show()

    def pytest_sessionfinish(self) -> None:
        self._write("")
        self.results.parent.mkdir(parents=True, exist_ok=True)
        found = {"passed": len(self.passed), "skipped": len(self.skipped), "failed": self.failed}
        self.results.write_text(json.dumps(found))

    def _fail(self, name: str) -> None:
        self.passed.discard(name)
        if name not in self.failed:  # a test may fail again in its teardown
            self.failed.append(name)
            self._write(f"FAILED {name}\n")

    def _show(self) -> None:
        now = time.monotonic()
        if now - self.shown < (1 if self.rewrites else EVERY):
            return
        self.shown = now
        left = (now - self.began) / self.ended * (self.total - self.ended)
        failed = f", {len(self.failed)} failed" if self.failed else ""
        line = f"{self.ended:,} of {self.total:,} tests{failed}, about {duration(left)} left in this part"
        self._write(line if self.rewrites else f"{line}\n")

    def _write(self, text: str) -> None:
        clear = "\r\x1b[K" if self.rewrites else ""
        self.terminal.write(clear + text, flush=True)


def duration(seconds: float) -> str:
    """A rounded duration: "40 s", "3 min"."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
