"""The vendored files are those that frontend/ specifies, unchanged."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
VENDOR = ROOT / "static" / "vendor"
RECORD: list[dict[str, str]] = json.loads((VENDOR / "VENDOR.json").read_text())
WANTED: dict[str, Any] = json.loads((FRONTEND / "wanted.json").read_text())
LOCK: dict[str, Any] = json.loads((FRONTEND / "package-lock.json").read_text())


def icons_used() -> set[str]:
    """Icons of `{% icon "name" %}`, and those that a template passes on as `..._icon=` or `icon_name=`."""
    used: set[str] = set()
    for template in (ROOT / "templates").rglob("*.html"):
        text = template.read_text()
        used.update(re.findall(r'{% icon "([a-z0-9-]+)"', text))
        used.update(re.findall(r'\b(?:icon_name|none_icon)="([a-z0-9-]+)"', text))
    return used


def test_the_record_names_every_vendored_file_and_no_other() -> None:
    committed = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert {entry["file"] for entry in RECORD} == committed - {"VENDOR.json"}


def test_the_record_names_every_wanted_file() -> None:
    wanted = {entry["to"] for entry in WANTED["files"]} | {WANTED["sprite"]["to"]}
    assert {entry["file"] for entry in RECORD} == wanted


@pytest.mark.parametrize("entry", RECORD, ids=lambda entry: entry["file"])
def test_a_vendored_file_is_the_recorded_one(entry: dict[str, str]) -> None:
    content = (VENDOR / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("entry", RECORD, ids=lambda entry: entry["file"])
def test_a_vendored_file_has_the_locked_version_and_licence(entry: dict[str, str]) -> None:
    locked = LOCK["packages"][f"node_modules/{entry['name']}"]
    assert (entry["version"], entry["licence"]) == (locked["version"], locked["license"])


def test_versions_are_pinned_exactly() -> None:
    manifest = json.loads((FRONTEND / "package.json").read_text())
    for name, version in manifest["devDependencies"].items():
        assert version == LOCK["packages"][f"node_modules/{name}"]["version"]


def test_the_lock_names_no_registry() -> None:
    assert not [name for name, package in LOCK["packages"].items() if "resolved" in package]


def test_the_sprite_holds_exactly_the_icons_that_templates_use() -> None:
    held = re.findall(r'<symbol id="([a-z0-9-]+)"', (VENDOR / "lucide" / "sprite.svg").read_text())
    assert set(held) == icons_used()
    assert held == WANTED["sprite"]["icons"]
