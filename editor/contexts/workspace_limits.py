"""The card "Limits" of the page Credits & usage: what limits a workspace has, and where to change them."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from editor import phrases
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts.limits import reset_text
from editor.contexts.usage_rules import bound
from editor.models import Workspace
from editor.queries import limits
from editor.queries.limits import Capped, Kind, Limit


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One kind of limit. `allowed`: credits, of which `used` are spent or held; None: nothing is counted."""

    label: str
    text: str
    hint: str
    change_url: str
    used: int = 0
    allowed: int | None = None

    @property
    def width(self) -> float:
        """Of the bar, which is 200 wide."""
        return 200.0 if not self.allowed else round(min(200.0, 200 * self.used / self.allowed), 1)


def limit_rows(actor: Actor) -> list[LimitRow]:
    """Nothing for those who cannot change them. Five queries."""
    if not actor.may(Permission.WORKSPACE_MANAGE):
        return []
    workspace = actor.workspace
    found = {limit.kind: limit for limit in limits.of_workspace(workspace)}
    general, members, keys, rules = (
        reverse(name, args=[workspace.slug]) for name in ("general", "members", "api_keys", "usage_rules")
    )
    change = f"{general}#limits-title"
    threshold = workspace.approval_threshold
    return [
        _budget(workspace, "Monthly budget", found.get(Kind.WORKSPACE_MONTH), change),
        _budget(workspace, "Daily budget", found.get(Kind.WORKSPACE_DAY), change),
        LimitRow(
            "Approval",
            "No edit needs one for its price" if threshold is None else f"Above {phrases.credits(threshold)}",
            "" if threshold is None else "For one edit of an editor or viewer",
            change,
        ),
        LimitRow("Members", _capped(limits.capped_members(workspace)), "", members),
        LimitRow("API keys", _capped(limits.capped_keys(workspace)), "", keys),
        LimitRow("Model rules", ", ".join(bound(workspace)) or "All models for everybody", "", rules),
    ]


def _budget(workspace: Workspace, label: str, limit: Limit | None, url: str) -> LimitRow:
    if limit is None:
        return LimitRow(label, "No limit", "", url)
    return LimitRow(
        label,
        f"{limit.used:,} of {limit.allowed:,} used",
        f"It {reset_text(workspace, limit.resets_at)}",
        url,
        used=limit.used,
        allowed=limit.allowed,
    )


def _capped(found: Capped) -> str:
    return f"{found.capped:,} of {found.all:,} with a cap" if found.capped else "No caps"
