"""Tokens that grant access to a job's progress, as Wiro's `socketaccesstoken`.

30 letters and digits: the job's id and a MAC of it. Nothing is stored. Like a signed link to an
image, a token works for anyone who has it as long as the job exists; it shows only steps and links
to results.
"""

from __future__ import annotations

import re
import string
from uuid import UUID

from django.utils.crypto import constant_time_compare, salted_hmac

_DIGITS = string.digits + string.ascii_letters
_ID_LENGTH, _MAC_LENGTH = 22, 8
_TOKEN = re.compile(rf"[0-9A-Za-z]{{{_ID_LENGTH + _MAC_LENGTH}}}")
_SALT = "editor.access.task_tokens"


def make(job_id: UUID) -> str:
    return _base62(job_id.int, _ID_LENGTH) + _mac(job_id)


def read(text: str) -> UUID | None:
    """The token's job id; None for text that is not a token of this portal."""
    if not _TOKEN.fullmatch(text):
        return None
    number = 0
    for digit in text[:_ID_LENGTH]:
        number = number * 62 + _DIGITS.index(digit)
    if number >= 2**128:
        return None
    job_id = UUID(int=number)
    return job_id if constant_time_compare(_mac(job_id), text[_ID_LENGTH:]) else None


def _mac(job_id: UUID) -> str:
    digest = salted_hmac(_SALT, job_id.hex, algorithm="sha256").digest()
    return _base62(int.from_bytes(digest, "big") % 62**_MAC_LENGTH, _MAC_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits
