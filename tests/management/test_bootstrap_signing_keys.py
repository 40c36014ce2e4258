"""The key for signed requests that bootstrap creates."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError

from editor.access import signatures
from editor.models import (
    ApiKey,
)
from editor.operations import api_keys
from tests.management.bootstrapping import bootstrap, key_in

pytestmark = pytest.mark.django_db


def signed_key_in(path: Path) -> tuple[ApiKey, str]:
    reported = json.loads(path.read_text())
    assert set(reported) == {"api_key", "api_secret"}
    key = api_keys.find(reported["api_key"])
    assert key is not None
    return key, reported["api_secret"]


def test_the_signing_key_is_written_to_its_own_file_with_its_secret(key_file: Path, tmp_path: Path) -> None:
    wiro = tmp_path / "keys" / "wiro.json"
    bootstrap(api_key_file=key_file, wiro_key_file=wiro)
    key, secret = signed_key_in(wiro)
    assert secret == signatures.secret_of(key) != ""
    assert stat.S_IMODE(wiro.stat().st_mode) == 0o600
    assert key_in(key_file).signing_secret is None
    before = (wiro.read_text(), key_file.read_text())
    bootstrap(api_key_file=key_file, wiro_key_file=wiro)
    assert (wiro.read_text(), key_file.read_text()) == before
    assert ApiKey.objects.count() == 2


def test_a_live_signing_key_of_another_workspace_is_left_alone(tmp_path: Path) -> None:
    wiro = tmp_path / "wiro.json"
    bootstrap(wiro_key_file=wiro)
    before = wiro.read_text()
    for options in ({}, {"revoke": True}):
        with pytest.raises(CommandError, match="another workspace"):
            bootstrap(email="bea@example.test", workspace="Rivals", wiro_key_file=wiro, **options)
    assert wiro.read_text() == before
    assert signed_key_in(wiro)[0].is_live


def test_revoke_ends_the_signing_key_too_and_the_next_run_creates_a_new_one(
    key_file: Path, tmp_path: Path
) -> None:
    wiro = tmp_path / "wiro.json"
    bootstrap(api_key_file=key_file, wiro_key_file=wiro)
    bootstrap(api_key_file=key_file, wiro_key_file=wiro, revoke=True)
    old, _ = signed_key_in(wiro)
    assert not old.is_live and not key_in(key_file).is_live
    bootstrap(wiro_key_file=wiro)
    assert signed_key_in(wiro)[0].is_live


@pytest.mark.parametrize("text", ["", "x", "[]", "null", '{"api_key": 5}', '{"api_secret": "x"}'])
def test_a_file_without_a_signing_key_gets_one(tmp_path: Path, text: str) -> None:
    wiro = tmp_path / "wiro.json"
    wiro.write_text(text)
    bootstrap(wiro_key_file=wiro)
    assert signed_key_in(wiro)[0].is_live


def test_a_live_key_of_the_other_kind_is_left_alone(key_file: Path, tmp_path: Path) -> None:
    wiro = tmp_path / "wiro.json"
    bootstrap(api_key_file=key_file, wiro_key_file=wiro)
    before = (key_file.read_text(), wiro.read_text())
    for options in ({"api_key_file": wiro}, {"wiro_key_file": key_file}):
        with pytest.raises(CommandError, match="other kind"):
            bootstrap(**options)
    with pytest.raises(CommandError, match="other kind"):
        bootstrap(api_key_file=tmp_path / "both", wiro_key_file=tmp_path / "both")
    assert (key_file.read_text(), wiro.read_text()) == before
