"""Errors of an S3 bucket, told apart: one that does not respond now, and one that refuses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as s3

from editor.errors import chain
from editor.shortage import Shortage

log = logging.getLogger("editor.bucket")


class StorageUnavailable(Shortage):
    """The bucket cannot be reached, does not respond in time, or reports a fault of its own (5xx)."""

    code = "storage_unavailable"

    def __init__(self) -> None:
        super().__init__(
            "The portal's image storage does not respond right now. Nothing was charged. "
            "Try again in a minute, or ask an operator for help.",
            retry_after=60,
        )


@contextmanager
def explained() -> Iterator[None]:
    """Raise StorageUnavailable in place of a bucket's error that may pass; others say what to change."""
    try:
        yield
    except Exception as error:
        if not any(map(_may_pass, chain(error))):
            raise
        log.warning("the bucket does not respond: %r", error)
        raise StorageUnavailable from error


def _may_pass(cause: BaseException) -> bool:
    if isinstance(cause, s3.ClientError):
        return int(cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
    return isinstance(cause, s3.ConnectionError | s3.HTTPClientError)
