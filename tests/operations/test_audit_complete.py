"""Each operation that a person calls records what it changes, and each action has a sentence.

Read from the source: a function records if it calls `audit.record` or `record_for`, itself or through
functions of the operations. So one that is added without an entry fails here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin

from editor.admin.audited import Audited
from editor.admin.read_only import ReadOnly
from editor.contexts.audit_sentences import GROUPS, SENTENCES

EDITOR = settings.BASE_DIR / "editor"
OPERATIONS = EDITOR / "operations"
RECORDERS = {"audit.record", "audit.record_for"}

# Operations with an actor that record nothing, and why.
EXCEPTIONS = {
    "approvals.needed": "reads",
    "credits.transfer": "transfers.transfer, its only caller, records it in both workspaces",
    "idempotency.find": "reads",
    "idempotency.find_repeat": "reads",
    "idempotency.find_sent_before": "reads",
    "idempotency.free": "the key of a request that started no edit",
    "images.add": "an image, which the gallery shows with its maker",
    "images.find_or_add_sample": "an image, which the gallery shows with its maker",
    "images.save_mask": "a mask, which belongs to its edit",
    "images.upload": "an image, which the gallery shows with its maker",
    "intake.add": "an image, which the gallery shows with its maker",
    "job_images.sources": "reads",
    "job_images.with_roles": "the images of an edit, which its recipe shows",
    "jobs.check": "reads",
    "limits.check_credits": "reads",
    "limits.reread": "reads",
    "member_rights.lock": "reads",
    "members.check_rights": "reads",
    "service_accounts.check_cap_of": "reads",
    "quotes.create": "a price that is shown, which is void after ten minutes",
    "quotes.price": "reads",
    "service_accounts.create": "api_keys.create, its only caller, records the key",
    "service_accounts.set_caps": "api_keys.set_caps, its only caller, records them",
    "stars.set_starred": "a person's own marks, which nobody else sees",
    "uploads.claim": "an image, which the gallery shows with its maker",
    "uploads.create": "a link for an image, which is void after a day",
    "webhooks.deliveries.test": "a test event, which the list of deliveries shows",
}


def modules() -> dict[str, ast.Module]:
    """The operations' modules by name, as in "webhooks.endpoints"."""
    return {
        ".".join(path.relative_to(OPERATIONS).with_suffix("").parts): ast.parse(path.read_text())
        for path in sorted(OPERATIONS.rglob("*.py"))
    }


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]}


def used(function: ast.AST) -> set[str]:
    """The names that it uses: "save", or "members.save" of another module; called, or passed to be called."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            found.add(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
    return found


def recording(trees: dict[str, ast.Module]) -> set[str]:
    """The functions, as in "members.save", that record something."""
    uses = {(name, one.name): used(one) for name, tree in trees.items() for one in functions(tree)}
    found = {key for key, names in uses.items() if names & RECORDERS}
    while True:
        called = {f"{name.rpartition('.')[2]}.{function}" for name, function in found}
        more = {
            key for key, names in uses.items() if names & called or {(key[0], name) for name in names} & found
        }
        if more <= found:
            return {f"{name}.{function}" for name, function in found}
        found |= more


def with_an_actor(trees: dict[str, ast.Module]) -> set[str]:
    return {
        f"{name}.{one.name}"
        for name, tree in trees.items()
        for one in functions(tree)
        if "actor" in arguments(one) and not one.name.startswith("_") and name != "audit"
    }


def test_each_operation_records_what_it_changes() -> None:
    trees = modules()
    silent = with_an_actor(trees) - recording(trees)
    assert silent - set(EXCEPTIONS) == set(), "record what these change, or say here why not"
    assert set(EXCEPTIONS) - silent == set(), "these are no exceptions any more"


@pytest.mark.parametrize(
    ("source", "records"),
    [
        ("def act(*, actor):\n    audit.record(workspace=None, actor=actor, action='a.b')", True),
        (
            "def act(*, actor):\n    helper(actor)\ndef helper(actor):\n    audit.record_for(actor=actor)",
            True,
        ),
        ("def act(*, actor):\n    other.act(actor=actor)", True),
        ("def act(*, actor):\n    actor.save()", False),
        ("def act(*, actor):\n    helper(actor)\ndef helper(actor):\n    actor.save()", False),
    ],
)
def test_an_operation_without_an_entry_is_found(source: str, records: bool) -> None:
    other = "def act(*, actor):\n    audit.record(workspace=None, actor=actor, action='a.b')"
    trees = {"new": ast.parse(source), "other": ast.parse(other)}
    assert "new.act" in with_an_actor(trees)
    assert ("new.act" in recording(trees)) is records


def actions() -> set[str]:
    """The literal actions in calls of functions that are called record, or end so."""
    found = set()
    for path in Path(EDITOR).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (ast.unparse(node.func).endswith(("record", "record_for"))):
                found |= {text for text in strings(node) if text.replace("_", "").count(".") == 1}
    return found


def strings(call: ast.Call) -> Iterator[str]:
    """Its string arguments, also of a choice between two."""
    for argument in [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "action")]:
        for node in ast.walk(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.islower():
                yield node.value


def test_each_action_has_a_sentence_and_one_group() -> None:
    found = actions()
    assert {"credits.granted", "webhook.changed", "provider_key.enabled", "images.exported"} <= found
    assert found - set(SENTENCES) == set()
    assert sum(len(group.sentences) for group in GROUPS.values()) == len(SENTENCES)


def test_what_operators_change_in_the_admin_has_sentences_too() -> None:
    nouns = {one.noun for one in admin.site._registry.values() if isinstance(one, Audited)}
    assert {"plan", "style", "workspace", "account", "provider_key", "model_alias"} == nouns
    assert {f"{noun}.changed" for noun in nouns} - set(SENTENCES) == set()
    unaudited = [
        one.__class__.__name__
        for one in admin.site._registry.values()
        if one.__module__.startswith("editor.admin") and not isinstance(one, Audited | ReadOnly)
    ]
    assert unaudited == []
