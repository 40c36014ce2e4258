"""Jobs in the format of BFL's get_result."""

from __future__ import annotations

from typing import Any

from editor.media import links
from editor.models import Job, Status

READY = "Ready"
PENDING = "Pending"
NOT_FOUND = "Task not found"
SAMPLE_SECONDS = 600  # lifetime of a link to a result


def result(job: Job, *, base_url: str) -> dict[str, Any]:
    """The job with its results, see `queries.jobs.with_results`; `base_url` is scheme and host of links."""
    match job.status:
        case Status.COMPLETED:
            return _completed(job, base_url)
        case Status.FAILED if job.error_code == "moderated":
            # With a task id, the provider accepted the request and withheld the result.
            status = "Content Moderated" if job.provider_task_id else "Request Moderated"
            return _body(str(job.id), status, details={"Moderation Reasons": [job.error]})
        case Status.FAILED:
            return _body(str(job.id), "Error", details={"error": job.error, "code": job.error_code})
        case Status.CANCELED:
            details = {"error": "The task was canceled. Its credits were refunded.", "code": "canceled"}
            return _body(str(job.id), "Error", details=details)
    return _body(str(job.id), PENDING, progress=(job.percent or 0) / 100)


def not_found(task: str) -> dict[str, Any]:
    """The body for a task that does not exist, or no longer does."""
    return _body(task, NOT_FOUND)


def _completed(job: Job, base_url: str) -> dict[str, Any]:
    image = next(iter(job.shown_results), None)  # type: ignore[attr-defined]
    if image is None:  # it is in the trash
        return not_found(str(job.id))
    assert job.finished_at is not None
    start, end = job.started_at or job.created_at, job.finished_at
    rendered = {
        "sample": f"{base_url}{links.sign_brief(image.id, image.content_type, seconds=SAMPLE_SECONDS)}",
        "prompt": job.prompt,
        "start_time": start.timestamp(),
        "end_time": end.timestamp(),
        "duration": (end - start).total_seconds(),
    }
    if job.seed is not None:  # clients reject a null seed
        rendered["seed"] = job.seed
    return _body(str(job.id), READY, result=rendered) | {"cost": job.charged}


def _body(
    task: str,
    status: str,
    *,
    result: dict[str, Any] | None = None,
    progress: float | None = None,
    details: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "id": task,
        "status": status,
        "result": result,
        "progress": progress,
        "details": details,
        "preview": None,
    }
