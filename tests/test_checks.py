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
from tests.patience import PATIENCE

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


@pytest.mark.parametrize(
    "entry", ["http://10.0.0.7:8000", "gpu.example:8000", "*.example", "10.0.0.1-10.0.0.9", "127.1"]
)
def test_each_entry_that_could_never_match_is_an_error(settings: Settings, entry: str) -> None:
    settings.OUTBOUND_ALLOW = [entry, "gpu.example", "two words"]
    errors = checks.check_outbound(None)
    assert [error.msg.split("”")[0] for error in errors] == [
        f"OUTBOUND_ALLOW: “{entry}",
        "OUTBOUND_ALLOW: “two words",
    ]


def test_international_names_are_exempt_too(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["bücher.example"]
    assert checks.check_outbound(None) == []
    policy.check_url("http://xn--bcher-kva.example:8000/")


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


WRONG = {
    "BASE_URL": "https://images.example.com/atelier",
    "ALLOWED_HOSTS": "https://one.example, two.example:8000",
    "EMAIL_URL": "smtp://amara:pa/ss@mail.example:587",
    "OUTBOUND_ALLOW": "10.0.0.300/8, http://gpu.example",
    "HOST": "no host",
}
REPORTED = [
    "BASE_URL: “https://images.example.com/atelier”",
    "ALLOWED_HOSTS: “https://one.example”",
    "ALLOWED_HOSTS: “two.example:8000”",
    "EMAIL_URL: it is not a URL",
    "OUTBOUND_ALLOW: “10.0.0.300/8”",
    "OUTBOUND_ALLOW: “http://gpu.example”",
    "HOST: “no host”",
]


@pytest.mark.parametrize("command", ["check", "portal"])
def test_all_invalid_settings_are_named_and_prevent_the_start(tmp_path: Path, command: str) -> None:
    done = manage(command, tmp_path, **WRONG)
    assert done.returncode == 1
    assert [line for line in REPORTED if line not in done.stderr] == []
    assert "Traceback" not in done.stderr
    assert "ss@" not in done.stderr, "it shows a part of the password"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mail.example", "it must begin with smtp://"),
        ("https://mail.example", "it must begin with smtp://"),
        ("smtp:mail.example", "it must begin with smtp://"),
        ("smtp://", "it has no host"),
        ("smtp://mail.example:many", "it is not a URL"),
    ],
)
def test_an_invalid_mail_server_is_named(tmp_path: Path, url: str, reason: str) -> None:
    assert f"EMAIL_URL: {reason}" in manage("check", tmp_path, EMAIL_URL=url).stderr


def test_valid_settings_are_accepted(tmp_path: Path) -> None:
    done = manage(
        "check",
        tmp_path,
        BASE_URL="https://[fd00::17]:8443/",
        ALLOWED_HOSTS=" one.example , .two.example, *",
        EMAIL_URL="smtp+tls://amara:p%2Fss@mail.example:587",
        OUTBOUND_ALLOW=" 10.0.0.0/8 , fd00::/8, [::1], gpu_1.example",
    )
    assert done.returncode == 0, done.stderr


def manage(command: str, data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": os.environ["PATH"], "DATA_DIR": str(data)}
    return subprocess.run(
        [sys.executable, "manage.py", command],
        cwd=ROOT,
        env=bare | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
