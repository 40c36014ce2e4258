"""Which models, tiers and providers a member may use."""

from __future__ import annotations

from dataclasses import dataclass

from editor import catalog
from editor.access.actor import Actor
from editor.access.permissions import Permission, holders
from editor.catalog.types import Model
from editor.models import Role, UsageRule, Workspace
from editor.providers import registry


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that bind a member: that for everybody and that for their role. All of them apply."""

    rows: tuple[UsageRule, ...] = ()

    def allow_provider(self, name: str) -> bool:
        return all(not row.allowed_providers or name in row.allowed_providers for row in self.rows)

    def refusal(self, *, model: Model, tier: str, provider: str) -> str:
        """Why the model may not be used with this provider; "" if it may. `tier`: "" for an exact model."""
        if not all(_allows_tier(row, model, tier) for row in self.rows):
            return _not_allowed(catalog.get_tier(tier).label if tier else model.label)
        if not all(not row.allowed_models or model.id in row.allowed_models for row in self.rows):
            return _not_allowed(model.label)
        if not self.allow_provider(provider):
            return _not_allowed(registry.get(provider).label)
        return ""


NONE = Rules()


def of(actor: Actor) -> Rules:
    """One query."""
    return of_role(actor.workspace, actor.membership.role)


def of_role(workspace: Workspace, role: str) -> Rules:
    """`role`: "" for somebody who is no member any more."""
    return Rules(tuple(UsageRule.objects.filter(workspace=workspace, role__in=["", role])))


def all_of(workspace: Workspace) -> dict[str, UsageRule]:
    """The rule for everybody under "", and one for each role; those that do not exist allow all."""
    found = {row.role: row for row in UsageRule.objects.filter(workspace=workspace)}
    return {role: found.get(role) or UsageRule(workspace=workspace, role=role) for role in ("", *Role.values)}


def _allows_tier(row: UsageRule, model: Model, tier: str) -> bool:
    """An exact model needs a tier that may be used and runs it, or its own place among the models."""
    if not row.allowed_tiers:
        return True
    if tier:
        return tier in row.allowed_tiers
    return model.id in row.allowed_models or any(
        model.id in (one.model, *one.own_keys.values(), *one.prompt_models)
        for one in catalog.catalog().tiers.values()
        if one.id in row.allowed_tiers
    )


def _not_allowed(what: str) -> str:
    who = holders(Permission.WORKSPACE_MANAGE).capitalize()
    return f"The rules of this workspace do not allow you {what}. {who} of it can change them."
