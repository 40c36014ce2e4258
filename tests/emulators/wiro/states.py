"""The state of a task at Wiro, from the time that has passed and its fault."""

from __future__ import annotations

from dataclasses import dataclass

from tests.emulators.faults import UNKNOWN_WORD, Fault
from tests.emulators.records import Task

# The status and the share of a task's time after which it begins.
TIMELINE = (
    ("task_queue", 0.0),
    ("task_accept", 0.1),
    ("task_preprocess_start", 0.15),
    ("task_preprocess_end", 0.2),
    ("task_assign", 0.25),
    ("task_start", 0.3),
    ("task_output", 0.35),
    ("task_output_full", 0.85),
    ("task_end", 0.9),
    ("task_postprocess_start", 0.95),
    ("task_postprocess_end", 1.0),
)
STATUSES = [status for status, _ in TIMELINE]
KILLABLE = frozenset(STATUSES[STATUSES.index("task_assign") : -1])
TERMINAL = frozenset({"task_postprocess_end", "task_cancel", "task_error"})
SHARE = dict(TIMELINE)

REASONS = {
    Fault.FAILED: "RuntimeError: the model ended with an error",
    Fault.PROMPT_MODERATED: "Request Moderated: the prompt was flagged by the safety filter",
    Fault.RESULT_MODERATED: "Content Moderated: the output was flagged by the safety filter",
}


@dataclass(frozen=True)
class State:
    """The state in Detail: pexit "" before the end; reason is the text of debugerror."""

    status: str
    pexit: str = ""
    reason: str = ""

    @property
    def succeeded(self) -> bool:
        return self.status == "task_postprocess_end" and self.pexit == "0"


def share(task: Task, *, now: float) -> float:
    """The share of its time that has passed, 0 to 1. One that never finishes stays at task_output."""
    passed = (now - task.at) / task.seconds if task.seconds else 1.0
    return min(passed, 0.8 if task.fault is Fault.NEVER_FINISHES else 1.0)


def state(task: Task, fault: Fault | None, *, now: float, fails_as: str) -> State:
    """`fault` is the request's own or the task's; `fails_as` is the last status of one that failed."""
    if task.cancelled_at is not None and task.cancelled_at <= now:
        return State("task_cancel", "0")  # Wiro's own sample has this pexit: the status comes first
    if fault is Fault.UNKNOWN_STATUS:
        return State(UNKNOWN_WORD)
    passed = min(share(task, now=now), 0.8 if fault is Fault.NEVER_FINISHES else 1.0)
    current = next(status for status, start in reversed(TIMELINE) if start <= passed)
    if "bad_input" in task.notes and passed >= SHARE["task_preprocess_end"]:
        return State("task_error", "", task.notes["bad_input"])
    if current != "task_postprocess_end":
        return State(current)
    if fault is Fault.FAILED:
        return State(fails_as, "0" if fails_as == "task_cancel" else "1", REASONS[fault])
    if fault is Fault.PROMPT_MODERATED:
        return State(current, "1", REASONS[fault])
    if fault is Fault.RESULT_MODERATED:
        return State("task_cancel", "1", REASONS[fault])
    return State(current, "0")
