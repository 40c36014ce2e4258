"""Signed polling URLs of tasks: like BFL's, they work without a key."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.core import signing
from django.urls import reverse

SIGNATURE = "signature"  # its name in the query
LIFE = timedelta(days=1)
_LONGEST = 100  # characters


def address(job_id: UUID, *, base_url: str) -> str:
    """The task's polling URL, valid for a day; `base_url` is scheme and host."""
    task = str(job_id)
    signature = _signer().sign(task).removeprefix(f"{task}.")
    return f"{base_url}{reverse('bfl_result')}?{urlencode({'id': task, SIGNATURE: signature})}"


def verify(task: str, signature: str) -> bool:
    """Whether the signature is valid for the task and has not expired."""
    if not 0 < len(signature) <= _LONGEST or len(task) > _LONGEST:
        return False
    try:
        _signer().unsign(f"{task}.{signature}", max_age=LIFE)
    except (signing.BadSignature, UnicodeEncodeError):
        return False
    return True


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="editor.compat.bfl.polling", sep=".")
