"""What errors say about a limit or a suspension. The composer's words are in contexts/limits.py."""

from __future__ import annotations

from datetime import datetime

from editor import phrases
from editor.models import Workspace
from editor.queries.limits import Limit

_HOW_TO_REQUEST = (
    "You can ask for an approval in the Studio, or in the public API with `approval` set to `request`."
)
# Whose limit it is, and who can raise it, by the first word of its kind.
_WHOSE = {
    "member": ("Your limit in this workspace", "An owner or admin of this workspace"),
    "key": ("The limit of this API key", "Its holder, or an owner or admin"),
    "workspace": ("The workspace's budget", "An owner or admin of this workspace"),
}


def refusal(limit: Limit, *, price: int) -> str:
    """Why an edit of this price may not run: the limit, what is used, its reset, and who can raise it."""
    ask = f" {_HOW_TO_REQUEST}" if limit.lifted_by_approval else ""
    if limit.resets_at is None:
        return (
            f"In this workspace, an edit that costs more than {phrases.credits(limit.allowed)} needs an "
            f"approval, and this one costs {price:,}.{ask}"
        )
    whose, who_raises = _WHOSE[limit.kind.partition("_")[0]]
    return (
        f"{whose} is {phrases.credits(limit.allowed)} {limit.period}, "
        f"and {limit.used:,} are used. This edit needs {price:,}. "
        f"The limit resets on {_reset(limit.resets_at)}. {who_raises} can raise it.{ask}"
    )


def suspension(workspace: Workspace) -> str:
    reason = workspace.suspended_reason.strip().rstrip(".")
    why = f": {reason}" if reason else ""
    return (
        f"This workspace is suspended{why}. No edit can be started. An operator of this portal can resume it."
    )


def _reset(moment: datetime) -> str:
    """In the workspace's time zone: “1 December at 00:00 (Europe/Berlin)”."""
    return f"{moment:%-d %B at %H:%M} ({moment.tzinfo})"
