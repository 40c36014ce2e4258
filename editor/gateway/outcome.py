"""Errors for jobs without results, the same for all APIs."""

from __future__ import annotations

from editor.errors import (
    Conflict,
    EditorError,
    InvalidInput,
    LimitExceeded,
    PermissionDenied,
    Unprocessable,
)
from editor.models import Job, Status


class Failed(EditorError):
    """The job failed for a reason that is not the caller's fault."""

    code = "provider_error"
    status = 500


def failure(job: Job) -> EditorError | None:
    """The error to return for a job that failed or was canceled; otherwise None.

    `code` is the job's own: "moderated", "rate_limited", "timeout", ...
    """
    if job.status == Status.CANCELED:
        return Conflict("The edit was canceled. Its credits were refunded.")
    if job.status != Status.FAILED:
        return None
    message = f"{job.error} Nothing was charged."
    match job.error_code:
        case "moderated" | "not_offered":
            error: EditorError = Unprocessable(message)
        case "approval_declined" | "approval_lapsed":
            error = PermissionDenied(message)
        case "rate_limited":
            error = LimitExceeded(message, retry_after=30)
        case "invalid_input":
            error = InvalidInput(message)
        case _:
            error = Failed(message)
    error.code = job.error_code or error.code
    return error
