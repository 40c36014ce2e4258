"""`manage.py check` for keys and outbound addresses."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from editor import checks
from editor.net import policy

ROOT = Path(__file__).resolve().parent.parent
SECRET = "too short to be a secret"


@pytest.fixture(autouse=True)
def own_settings(settings: Settings) -> Iterator[None]:
    """Nothing exempt, nothing configured; afterwards nothing is exempt again."""
    settings.OUTBOUND_ALLOW = []
    settings.PROVIDERS = {"bfl": {"base_url": "", "key": "", "secret": ""}}
    yield
    policy.allow([])


def test_a_short_encryption_key_is_reported_by_its_position(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = ["k" * 32]
    assert checks.check_encryption_keys(None) == []
    settings.ENCRYPTION_KEYS = ["k" * 32, SECRET]
    (error,) = checks.check_encryption_keys(None)
    assert error.id == "editor.E003"
    assert "key 2 has fewer than 32" in error.msg
    assert SECRET not in error.msg


def test_an_invalid_network_is_an_error_and_exempts_nothing(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["10.0.0.0/8", "10.0.0.300/8"]
    (error,) = checks.check_outbound(None)
    assert error.id == "editor.E004"
    assert "10.0.0.300/8" in error.msg
    with pytest.raises(policy.Forbidden):
        policy.check_url("http://10.1.2.3/")


def test_a_url_that_the_portal_would_not_request_is_an_error(settings: Settings) -> None:
    settings.PROVIDERS["bfl"]["base_url"] = "http://10.0.0.7:8000"
    (error,) = checks.check_outbound(None)
    assert (error.id, error.msg[:14]) == ("editor.E005", "BFL_BASE_URL: ")
    settings.OUTBOUND_ALLOW = ["10.0.0.0/8"]
    assert checks.check_outbound(None) == []


@pytest.mark.parametrize(("allowed", "requested"), [("10.0.0.0/8", True), ("10.0.0.300/8", False)])
def test_a_new_process_knows_what_is_exempt(tmp_path: Path, allowed: str, requested: bool) -> None:
    """From its settings alone, before any check has run; a mistake in them does not prevent its start."""
    program = (
        "import django; django.setup();"
        "from editor.net import policy;"
        "policy.check_url('http://10.1.2.3:8000/'); print('asked')"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "imageeditor.settings",
        "OUTBOUND_ALLOW": allowed,
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("asked" in done.stdout, "Forbidden" in done.stderr) == (requested, not requested)
