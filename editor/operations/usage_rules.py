"""Which models, tiers and providers may be used in a workspace, by everybody and by each role."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from editor import catalog
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import InvalidInput
from editor.models import Role, UsageRule, Workspace
from editor.operations import audit
from editor.providers import registry

EVERYBODY = ""
WHOSE = (EVERYBODY, *Role.values)


@transaction.atomic
def save(
    *,
    actor: Actor,
    role: str,
    allowed_models: Collection[str],
    allowed_tiers: Collection[str],
    allowed_providers: Collection[str],
) -> None:
    """Replace the rule for a role, or for EVERYBODY. An empty list allows all.

    Raises PermissionDenied and InvalidInput.
    """
    actor.require(Permission.WORKSPACE_MANAGE)
    if role not in WHOSE:
        raise _wrong("role", "There is no such role.")
    entries = catalog.catalog()
    values = {
        "allowed_models": _known(allowed_models, entries.models, "allowed_models"),
        "allowed_tiers": _known(allowed_tiers, entries.tiers, "allowed_tiers"),
        "allowed_providers": _known(allowed_providers, registry.providers(), "allowed_providers"),
    }
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
    row = UsageRule.objects.filter(workspace=actor.workspace, role=role).first()
    row = row or UsageRule(workspace=actor.workspace, role=role)
    before = {name: getattr(row, name) for name, value in values.items() if getattr(row, name) != value}
    if not before:
        return
    for name in before:
        setattr(row, name, values[name])
    row.save()
    audit.record(
        workspace=actor.workspace,
        actor=actor,
        action="workspace.rules_changed",
        data={"who": f"{Role(role).label.lower()}s" if role else "everybody"},
        before=before,
        after={name: values[name] for name in before},
    )


def _known(given: Collection[str], known: Collection[str], field: str) -> list[str]:
    """The given ids in the order of the known ones. Raises InvalidInput for others."""
    if set(given) - set(known):
        raise _wrong(field, "One of these does not exist any more. Reload the page.")
    return [name for name in known if name in given]


def _wrong(field: str, problem: str) -> InvalidInput:
    return InvalidInput(problem, fields={field: problem})
