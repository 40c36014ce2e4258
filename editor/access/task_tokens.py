"""Tokens that stand for a job and are the right to hear how it goes, as Wiro's `socketaccesstoken`.

30 letters and digits: the job's id, and the portal's mark on it. Nothing is stored. Like a signed
link to an image, a token works for whoever has it, as long as there is the job: it shows steps and
links to results, and no more.
"""

from __future__ import annotations

import re
import string
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

_DIGITS = string.digits + string.ascii_letters
_ID_LENGTH, _MARK_LENGTH = 22, 8
_TOKEN = re.compile(rf"[0-9A-Za-z]{{{_ID_LENGTH + _MARK_LENGTH}}}")
_SALT = "editor.access.task_tokens"


def make(job_id: UUID) -> str:
    return _base62(job_id.int, _ID_LENGTH) + _mark(job_id)


def read(text: str) -> UUID | None:
    """The job that a token stands for; None for a text that is no token of this portal's."""
    if not _TOKEN.fullmatch(text):
        return None
    number = 0
    for digit in text[:_ID_LENGTH]:
        number = number * 62 + _DIGITS.index(digit)
    if number >= 2**128:
        return None
    job_id = UUID(int=number)
    return job_id if constant_time_compare(_mark(job_id), text[_ID_LENGTH:]) else None


def _mark(job_id: UUID) -> str:
    digest = salted_hmac(_SALT, job_id.hex, algorithm="sha256").digest()
    return _base62(int.from_bytes(digest, "big") % 62**_MARK_LENGTH, _MARK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
