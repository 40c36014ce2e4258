"""The family of errors that operations raise and every channel translates.

A channel defines no business errors of its own: it catches `EditorError`, reads
`code`, `status` and `message`, and puts them into its own envelope.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class EditorError(Exception):
    """An error that may be shown to the caller.

    message      one or two sentences for a person: what happened and what to do
    code         a stable identifier for programs, e.g. "insufficient_credits"
    status       the matching HTTP status
    retryable    True when the same call may succeed later without a change
    retry_after  seconds to wait before such a retry, if known
    fields       for invalid input: input name -> what is wrong with it
    more         further members of the error in the portal's own APIs, as JSON can hold them
    """

    code = "error"
    status = 500
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        fields: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.fields: dict[str, str] = dict(fields or {})
        self.more: dict[str, Any] = dict(more or {})


class InvalidInput(EditorError):
    """The request itself is invalid; `fields` says where."""

    code = "invalid_input"
    status = 400


class NotAuthenticated(EditorError):
    """The caller is not authenticated."""

    code = "not_authenticated"
    status = 401


class InsufficientCredits(EditorError):
    """The workspace cannot pay for this edit. Nothing was charged."""

    code = "insufficient_credits"
    status = 402


class PermissionDenied(EditorError):
    """The caller is authenticated, but may not do this."""

    code = "permission_denied"
    status = 403


class WorkspaceSuspended(PermissionDenied):
    """An operator has suspended the workspace: nobody can start an edit in it."""

    code = "workspace_suspended"


class SecondFactorRequired(PermissionDenied):
    """The caller must set up a second factor on the account page first."""

    code = "second_factor_required"


class NotFound(EditorError):
    """No such row in this workspace. Rows of other workspaces get the same error."""

    code = "not_found"
    status = 404


class WorkspaceMoved(NotFound):
    """The workspace has another address now: `slug`. Raised only for its members."""

    def __init__(self, slug: str) -> None:
        super().__init__("This workspace has another address now. Reload the page.")
        self.slug = slug


class WorkspaceDeleted(NotFound):
    """The workspace was deleted and can still be restored. Raised only for its members."""


class Conflict(EditorError):
    """The row is in a state that does not allow this."""

    code = "conflict"
    status = 409


class Unprocessable(EditorError):
    """Well-formed, but refused: a provider that is not set up, or moderated content."""

    code = "unprocessable"
    status = 422


class LimitExceeded(EditorError):
    """A limit of the plan was reached."""

    code = "too_many"
    status = 429
    retryable = True


class NotOffered(Unprocessable):
    """An operator has switched off the model of an edit, or its provider. Nothing was charged."""

    code = "not_offered"


class StorageFull(Unprocessable):
    """The workspace uses all the storage its plan allows. Nothing was charged."""

    code = "storage_full"


class DiskFull(EditorError):
    """The portal's disk is full, or nearly so: see `editor/disk.py`. Nothing was charged."""

    code = "disk_full"
    status = 503
    retryable = True

    def __init__(self) -> None:
        super().__init__(
            "The portal's disk is full, so it accepts no new images or edits for now. Nothing was charged, "
            "and running edits continue. Try again later, or ask an operator for help.",
            retry_after=60,
        )


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, as its traceback shows them."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
