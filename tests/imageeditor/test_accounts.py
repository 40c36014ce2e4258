"""Settings of people's accounts; `manage.py check` names wrong values."""

from __future__ import annotations

import pytest

from imageeditor import accounts, environment

ACME = {
    "OIDC_PROVIDERS": "acme",
    "OIDC_ACME_NAME": "Acme SSO",
    "OIDC_ACME_URL": "https://sso.acme.test/realms/acme/",
    "OIDC_ACME_CLIENT_ID": "portal",
    "OIDC_ACME_CLIENT_SECRET": "hush",
    "OIDC_ACME_ROLES": "designers=acme-studio:editor, team leads=acme-studio:admin",
}


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(environment, "INVALID_SETTINGS", found)
    return found


def read(monkeypatch: pytest.MonkeyPatch, **changes: str) -> dict[str, accounts.OidcProvider]:
    for name, value in {**ACME, **changes}.items():
        monkeypatch.setenv(name, value)
    return accounts.oidc_providers()


@pytest.mark.parametrize("value", ["invite", "open", "domains"])
def test_sign_up_has_three_values(value: str) -> None:
    assert accounts.signup(value) == value


@pytest.mark.parametrize("value", ["", "Open", "closed", "open,domains"])
def test_other_values_of_sign_up_are_reported(value: str, problems: list[str]) -> None:
    assert environment.parsed("SIGNUP", [value], accounts.signup) == []
    assert problems == [f"SIGNUP: it must be invite, open or domains, not “{value}”."]


def test_domains_are_host_names(problems: list[str]) -> None:
    values = ["Acme.test", "bücher.example", "@acme.test", "a b"]
    found = environment.parsed("SIGNUP_DOMAINS", values, accounts.domain)
    assert found == ["acme.test", "xn--bcher-kva.example"]
    assert problems[0] == "SIGNUP_DOMAINS: “@acme.test” must be written “acme.test”."
    assert len(problems) == 2


def test_without_providers_there_are_none() -> None:
    assert accounts.oidc_providers() == {}


def test_a_provider_is_read(monkeypatch: pytest.MonkeyPatch, problems: list[str]) -> None:
    acme = read(monkeypatch)["acme"]
    assert problems == []
    assert (acme.name, acme.issuer, acme.claim) == ("Acme SSO", "https://sso.acme.test/realms/acme", "groups")
    assert [(role.group, role.workspace, role.role) for role in acme.roles] == [
        ("designers", "acme-studio", "editor"),
        ("team leads", "acme-studio", "admin"),
    ]
    assert acme.app["secret"] == "hush"
    assert "hush" not in repr(acme)


def test_several_providers_are_read(monkeypatch: pytest.MonkeyPatch, problems: list[str]) -> None:
    monkeypatch.setenv("OIDC_HEAD_OFFICE_URL", "https://head.test")
    monkeypatch.setenv("OIDC_HEAD_OFFICE_CLIENT_ID", "portal")
    found = read(monkeypatch, OIDC_PROVIDERS="acme, head-office")
    assert list(found) == ["acme", "head-office"]
    assert found["head-office"].name == "Head-office"
    assert problems == []


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("OIDC_PROVIDERS", "Acme SSO", "must have only lower-case letters"),
        ("OIDC_ACME_URL", "http://sso.acme.test", "must be an https URL"),
        ("OIDC_ACME_URL", "", "must be an https URL"),
        ("OIDC_ACME_CLIENT_ID", "", "it is missing"),
        ("OIDC_ACME_ROLES", "designers=acme-studio", "must be written group=workspace:role"),
        ("OIDC_ACME_ROLES", "designers=acme-studio:owner", "with a role of admin, editor, viewer"),
    ],
)
def test_wrong_values_are_reported(
    monkeypatch: pytest.MonkeyPatch, problems: list[str], name: str, value: str, problem: str
) -> None:
    read(monkeypatch, **{name: value})
    (found,) = problems
    assert found.startswith(f"{name}: ")
    assert problem in found
