"""Bracketed words in a prompt that make the sandbox slow or make it fail, for integrators."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_SLOW = 8.0  # seconds

_WORD = re.compile(
    r"\[(slow(?::(?P<seconds>[0-9]{1,4}))?|moderate|fail|fail:submit|timeout)\]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class TestWords:
    """`slow` is the minimum time from submit to result, in seconds."""

    __test__ = False  # keeps pytest from collecting it

    slow: float = 0.0
    moderate: bool = False
    fail: bool = False
    fail_submit: bool = False
    timeout: bool = False


def extract(prompt: str) -> tuple[str, TestWords]:
    """The prompt without its test words, and their meaning."""
    slow = 0.0
    found: set[str] = set()
    for match in _WORD.finditer(prompt):
        word = match[1].lower()
        if word.startswith("slow"):
            slow = max(slow, float(match["seconds"] or DEFAULT_SLOW))
        found.add(word)
    words = TestWords(
        slow=slow,
        moderate="moderate" in found,
        fail="fail" in found,
        fail_submit="fail:submit" in found,
        timeout="timeout" in found,
    )
    return _WORD.sub(" ", prompt).strip(), words
