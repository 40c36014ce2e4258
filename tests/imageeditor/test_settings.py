"""The settings of providers and stored secrets, as read by a new process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from imageeditor import environment
from tests.emulators.s3 import Bucket

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = "STORAGES['default']['OPTIONS']"
PRINT = "import json; from imageeditor import settings; print(json.dumps([{}]))"


def read(data: Path, **environment: str) -> tuple[list[str], list[str], dict[str, dict[str, str]]]:
    """ENCRYPTION_KEYS, OUTBOUND_ALLOW and PROVIDERS of a portal with these variables and no others."""
    names = ("ENCRYPTION_KEYS", "OUTBOUND_ALLOW", "PROVIDERS")
    keys, allowed, providers = _read(names, data, environment)
    return keys, allowed, providers


def _read(names: Sequence[str], data: Path, environment: dict[str, str]) -> list[Any]:
    bare: dict[str, Any] = {"PATH": os.environ["PATH"], "DATA_DIR": str(data)}
    command = [sys.executable, "-c", PRINT.format(", ".join(f"settings.{name}" for name in names))]
    done = subprocess.run(command, cwd=ROOT, env=bare | environment, capture_output=True, check=True)
    values: list[Any] = json.loads(done.stdout)
    return values


def test_by_default_there_are_no_accounts_and_one_persistent_encryption_key(tmp_path: Path) -> None:
    keys, allowed, providers = read(tmp_path)
    assert read(tmp_path)[0] == keys
    assert len(keys[0]) >= 32
    assert (tmp_path / "encryption_key").stat().st_mode & 0o777 == 0o600
    assert keys[0] != (tmp_path / "secret_key").read_text()
    assert allowed == []
    assert set(providers) == {"bfl", "wiro", "openai", "google", "fal", "kie"}
    assert {value for given in providers.values() for value in given.values()} == {""}


def test_settings_are_read_from_variables_and_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    (tmp_path / "keys").write_text("first-key, second-key,\n")
    keys, allowed, providers = read(
        tmp_path,
        ENCRYPTION_KEYS_FILE=str(tmp_path / "keys"),
        OUTBOUND_ALLOW="10.0.0.0/8, gpu.example",
        BFL_API_KEY="of-bfl",
        BFL_BASE_URL="http://10.0.0.7:8000/v1/",
        WIRO_API_KEY_FILE=str(tmp_path / "key"),
        WIRO_API_SECRET=" half ",
    )
    assert keys == ["first-key", "second-key"]
    assert not (tmp_path / "encryption_key").exists()
    assert allowed == ["10.0.0.0/8", "gpu.example"]
    assert providers["bfl"] == {"base_url": "http://10.0.0.7:8000", "key": "of-bfl", "secret": ""}
    assert providers["wiro"] == {"base_url": "", "key": "from-a-file", "secret": "half"}


@pytest.mark.parametrize(
    ("pasted", "origin"),
    [
        ("https://api.bfl.ai", "https://api.bfl.ai"),
        ("https://api.bfl.ai/", "https://api.bfl.ai"),
        (" https://api.openai.com/v1/ ", "https://api.openai.com"),
        ("https://generativelanguage.googleapis.com/v1beta", "https://generativelanguage.googleapis.com"),
        ("https://api.kie.ai/api/v1", "https://api.kie.ai"),
        ("https://gateway.example/images/v1", "https://gateway.example/images"),
        ("https://v1.example/v10", "https://v1.example/v10"),
        ("", ""),
    ],
)
def test_a_base_url_is_accepted_with_or_without_its_version_path(pasted: str, origin: str) -> None:
    assert environment.provider_origin(pasted) == origin


def test_a_bucket_is_configured_as_in_the_tests_of_uploads(tmp_path: Path) -> None:
    bucket = Bucket(url="http://127.0.0.1:9000")
    names = (f"{OPTIONS}.pop('client_config').signature_version", "STORAGES", "STORAGE_BUCKET")
    signature, storages, name = _read(names, tmp_path, bucket.environment())
    assert name == "pictures"
    expected = bucket.storages()
    assert signature == expected["OPTIONS"].pop("client_config").signature_version
    assert storages["default"] == expected


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({}, [5, 20, 3]),
        (
            {"STORAGE_CONNECT_TIMEOUT": "1.5", "STORAGE_READ_TIMEOUT": "60", "STORAGE_ATTEMPTS": "1"},
            [1.5, 60, 1],
        ),
    ],
    ids=["defaults", "set"],
)
def test_bucket_timeouts_and_attempts_are_limited(
    tmp_path: Path, given: dict[str, str], limits: list[float]
) -> None:
    client = f"{OPTIONS}['client_config']"
    names = [f"{client}.{name}" for name in ("connect_timeout", "read_timeout", "retries")]
    *seconds, retries = _read(names, tmp_path, Bucket().environment() | given)
    assert [*seconds, retries["total_max_attempts"]] == limits


@pytest.mark.parametrize(
    ("given", "url", "hosts"),
    [
        ({"BASE_URL": "https://images.example.com/"}, "https://images.example.com", ["images.example.com"]),
        (
            {"BASE_URL": " HTTPS://Images.Example.com:443 "},
            "https://images.example.com",
            ["images.example.com"],
        ),
        ({"BASE_URL": "http://images.example:8080"}, "http://images.example:8080", ["images.example"]),
        ({"BASE_URL": "https://[FD00:0::17]:8443"}, "https://[fd00::17]:8443", ["[fd00::17]"]),
        ({"BASE_URL": "https://bücher.example"}, "https://xn--bcher-kva.example", ["xn--bcher-kva.example"]),
        ({"HOST": "192.168.1.5"}, "", ["192.168.1.5"]),
        ({"HOST": "fd00::17"}, "", ["[fd00::17]"]),
    ],
)
def test_the_public_address_is_what_browsers_send(
    tmp_path: Path, given: dict[str, str], url: str, hosts: list[str]
) -> None:
    names = ("BASE_URL", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "INVALID_SETTINGS")
    trusted = [url] if url else []
    assert _read(names, tmp_path, given) == [url, ["localhost", "127.0.0.1", "[::1]", *hosts], trusted, []]


def test_lists_of_hosts_may_have_spaces_ipv6_and_international_names(tmp_path: Path) -> None:
    given = {"ALLOWED_HOSTS": " one.example , .two.example,, fd00::17 , [FD00::18],bücher.example ,*"}
    expected = ["one.example", ".two.example", "[fd00::17]", "[fd00::18]", "xn--bcher-kva.example", "*"]
    assert _read(("ALLOWED_HOSTS",), tmp_path, given) == [expected]


@pytest.mark.parametrize(
    ("text", "seconds", "invalid"),
    [("", 300, 0), ("50", 50, 0), (" 0.5 ", 300, 1), ("301", 300, 1), ("nan", 300, 1), ("a minute", 300, 1)],
)
def test_the_longest_hold_can_be_shortened(tmp_path: Path, text: str, seconds: float, invalid: int) -> None:
    held, problems = _read(("HOLD_SECONDS", "INVALID_SETTINGS"), tmp_path, {"HOLD_SECONDS": text})
    assert (held, [problem.split(":")[0] for problem in problems]) == (seconds, ["HOLD_SECONDS"] * invalid)


@pytest.mark.parametrize(
    ("base_url", "sender"),
    [
        ("", "Atelier <portal@localhost>"),
        ("https://bücher.example:8443", "Atelier <portal@xn--bcher-kva.example>"),
        ("https://[fd00::17]", "Atelier <portal@[IPv6:fd00::17]>"),
        ("http://10.0.0.7:8000", "Atelier <portal@[10.0.0.7]>"),
    ],
)
def test_mails_have_a_valid_sender(tmp_path: Path, base_url: str, sender: str) -> None:
    assert _read(("DEFAULT_FROM_EMAIL",), tmp_path, {"BASE_URL": base_url}) == [sender]


@pytest.mark.parametrize(
    ("text", "size"),
    [("", None), ("0", 0), ("1048576", 1048576), ("500MB", 500 * 1024**2), ("2 g", 2 * 1024**3)],
)
def test_the_reserve_of_disk_is_a_size(tmp_path: Path, text: str, size: int | None) -> None:
    assert _read(("STORAGE_RESERVE",), tmp_path, {"STORAGE_RESERVE": text}) == [size]


@pytest.mark.parametrize("text", ["much", "-1", "5%", "1.5GB"])
def test_an_invalid_reserve_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_RESERVE", text)
    with pytest.raises(ImproperlyConfigured, match="STORAGE_RESERVE"):
        environment.size("STORAGE_RESERVE")


@pytest.mark.parametrize(
    ("text", "days", "invalid"),
    [("", 400, 0), ("30", 30, 0), ("0", 400, 1), ("36501", 400, 1), ("1.5", 400, 1), ("-3", 400, 1)],
)
def test_how_long_the_audit_log_is_kept_can_be_set(
    tmp_path: Path, text: str, days: int, invalid: int
) -> None:
    kept, problems = _read(("AUDIT_DAYS", "INVALID_SETTINGS"), tmp_path, {"AUDIT_DAYS": text})
    assert (kept, [problem.split(":")[0] for problem in problems]) == (days, ["AUDIT_DAYS"] * invalid)


@pytest.mark.parametrize(
    ("given", "price", "problems"),
    [
        ("", None, 0),
        ("0.04", "0.04", 0),
        ("12", "12", 0),
        ("0", None, 1),
        ("4 cents", None, 1),
        ("-1", None, 1),
    ],
)
def test_what_a_credit_costs(tmp_path: Path, given: str, price: str | None, problems: int) -> None:
    found = _read(
        ("CREDIT_PRICE and str(settings.CREDIT_PRICE)", "INVALID_SETTINGS"), tmp_path, {"CREDIT_PRICE": given}
    )
    assert (found[0], len(found[1])) == (price, problems)
