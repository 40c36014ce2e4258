"""Every outcome of a job in the format of BFL's API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from editor.media import links
from editor.models import Image, Job, Status
from editor.queries import jobs as job_queries
from editor.representations import bfl
from tests.factories import make_workspace
from tests.web.rows import add_image, add_job

pytestmark = pytest.mark.django_db

AT = "https://edits.example"
START = datetime(2026, 5, 4, 12, tzinfo=UTC)


def reported(job: Job) -> dict[str, Any]:
    return bfl.result(job_queries.read(job.id), base_url=AT)


def bare(job: Job, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(job.id),
        "result": None,
        "progress": None,
        "details": None,
        "preview": None,
    } | fields


def completed(**fields: Any) -> tuple[Job, Image]:
    workspace = make_workspace()
    times: dict[str, Any] = {"started_at": START, "finished_at": START + timedelta(seconds=6.5)}
    job = add_job(workspace, status=Status.COMPLETED, charged=4, **times, **fields)
    return job, add_image(workspace, kind=Image.Kind.RESULT, job=job)


@pytest.mark.parametrize(("percent", "progress"), [(None, 0.0), (40, 0.4)])
@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING])
def test_a_live_job_is_pending(status: Status, percent: int | None, progress: float) -> None:
    job = add_job(make_workspace(), status=status, percent=percent)
    assert reported(job) == bare(job, status="Pending", progress=progress)


def test_a_completed_job_is_ready_with_a_link_for_ten_minutes() -> None:
    job, image = completed(seed=7)
    before = datetime.now(UTC)
    body = reported(job)
    until = datetime.now(UTC) + timedelta(minutes=10)
    sample = body["result"].pop("sample")
    assert body == bare(
        job,
        status="Ready",
        cost=4,
        result={
            "prompt": "make it warmer",
            "seed": 7,
            "start_time": START.timestamp(),
            "end_time": START.timestamp() + 6.5,
            "duration": 6.5,
        },
    )
    path = sample.removeprefix(f"{AT}/results/")
    signed, _, name = path.partition("/")
    assert name == "sample.png"
    link = links.verify_brief(signed)
    assert link.image_id == image.id
    whole_second = timedelta(seconds=1)
    assert before + timedelta(minutes=10) - whole_second < link.expires_at <= until


def test_an_unknown_seed_is_omitted() -> None:
    assert "seed" not in reported(completed()[0])["result"]


def test_a_result_in_the_trash_is_not_found() -> None:
    job, image = completed()
    image.trashed_at = START
    image.save(update_fields=["trashed_at"])
    assert reported(job) == bare(job, status="Task not found")


@pytest.mark.parametrize(("task", "status"), [("t-1", "Content Moderated"), (None, "Request Moderated")])
def test_a_moderated_job_says_whether_prompt_or_result_was_moderated(task: str | None, status: str) -> None:
    job = add_job(
        make_workspace(),
        status=Status.FAILED,
        error_code="moderated",
        error="Violence.",
        provider_task_id=task,
        submitting_at=START,
    )
    assert reported(job) == bare(job, status=status, details={"Moderation Reasons": ["Violence."]})


def test_a_failed_job_is_an_error_with_its_reason() -> None:
    job = add_job(make_workspace(), status=Status.FAILED, error_code="timeout", error="Too slow.")
    assert reported(job) == bare(job, status="Error", details={"error": "Too slow.", "code": "timeout"})


def test_a_canceled_job_is_an_error_too() -> None:
    job = add_job(make_workspace(), status=Status.CANCELED)
    body = reported(job)
    assert body.pop("details")["code"] == "canceled"
    assert body == {key: value for key, value in bare(job, status="Error").items() if key != "details"}
