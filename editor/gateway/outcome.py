"""What a job that gave nothing means for whoever asked for it: one translation for all doors."""

from __future__ import annotations

from editor.errors import Conflict, EditorError, InvalidInput, TooMany, Unprocessable
from editor.models import Job, Status


class Failed(EditorError):
    """The job gave nothing, for a reason that is no fault of the caller."""

    code = "provider_error"
    status = 500


def failure(job: Job) -> EditorError | None:
    """Why a job that has ended gave nothing, as the error to answer with; None where it gave something.

    `code` is the job's own: "moderated", "rate_limited", "timeout", ...
    """
    if job.status == Status.CANCELED:
        return Conflict("The edit was canceled. Its credits were refunded.")
    if job.status != Status.FAILED:
        return None
    words = f"{job.error} Nothing was charged."
    match job.error_code:
        case "moderated":
            error: EditorError = Unprocessable(words)
        case "rate_limited":
            error = TooMany(words, retry_after=30)
        case "invalid_input":
            error = InvalidInput(words)
        case _:
            error = Failed(words)
    error.code = job.error_code or error.code
    return error
