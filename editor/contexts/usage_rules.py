"""The page "Model rules" of a workspace's settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from editor import catalog
from editor.models import Role, UsageRule, Workspace
from editor.providers import registry
from editor.queries import usage_rules


@dataclass(frozen=True, slots=True)
class Group:
    """Check boxes of one kind. `choices`: (value, label, checked); none checked: all are allowed."""

    name: str
    label: str
    choices: list[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class Tab:
    """Whom a rule is for: a role, or "" for everybody. `limits`: it allows not everything."""

    role: str
    label: str
    limits: bool


@dataclass(frozen=True, slots=True)
class RulesPage:
    role: str
    who: str
    tabs: list[Tab]
    groups: list[Group]


def rules_page(workspace: Workspace, role: str) -> RulesPage:
    """`role`: whose rule is shown; "" for everybody."""
    rules, entries = usage_rules.all_of(workspace), catalog.catalog()
    shown = rules[role]
    models = [(model.id, f"{model.label}, {model.vendor}") for model in entries.models.values()]
    tiers = [(tier.id, tier.label) for tier in entries.tiers.values()]
    providers = [(name, one.label) for name, one in registry.providers().items()]
    return RulesPage(
        role=role,
        who=_label(role),
        tabs=[Tab(name, _label(name), _limits(rule)) for name, rule in rules.items()],
        groups=[
            Group("allowed_tiers", "Qualities", _choices(tiers, shown.allowed_tiers)),
            Group("allowed_models", "Models", _choices(models, shown.allowed_models)),
            Group("allowed_providers", "Providers", _choices(providers, shown.allowed_providers)),
        ],
    )


def bound(workspace: Workspace) -> list[str]:
    """Who may not use everything. One query."""
    return [_label(role) for role, rule in usage_rules.all_of(workspace).items() if _limits(rule)]


def _label(role: str) -> str:
    return f"{Role(role).label}s" if role else "Everybody"


def _limits(rule: UsageRule) -> bool:
    return bool(rule.allowed_models or rule.allowed_tiers or rule.allowed_providers)


def _choices(all_of_them: Iterable[tuple[str, str]], allowed: Collection[str]) -> list[tuple[str, str, bool]]:
    return [(value, label, value in allowed) for value, label in all_of_them]
