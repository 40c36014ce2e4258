"""Caps: the credits that a member, a key or a workspace can spend in a month or a day."""

from __future__ import annotations

from editor.errors import InvalidInput

HIGHEST = 2**31 - 1  # credits


def checked(cap: int | None, *, field: str = "monthly_cap") -> int | None:
    """The cap; None: no limit. Raises InvalidInput for one that is not possible."""
    if cap is not None and not 0 <= cap <= HIGHEST:
        problem = f"Enter a whole number of credits, at most {HIGHEST:,}, or nothing for no cap."
        raise InvalidInput(problem, fields={field: problem})
    return cap


def is_above(cap: int | None, other: int | None) -> bool:
    """Whether it allows more."""
    return other is not None and (cap is None or cap > other)


def described(cap: int | None) -> str:
    """For the audit log."""
    return "none" if cap is None else f"{cap:,}"
