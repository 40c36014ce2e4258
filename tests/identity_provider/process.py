"""Runs the identity provider as a process of its own, and changes its people."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from django.contrib.auth.hashers import make_password

from tests.identity_provider.__main__ import CLIENT_ID, CLIENT_SECRET
from tests.patience import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = "2026-01-01 00:00:00"


class IdentityProvider:
    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "provider.log"
        with closing(socket.socket()) as held:
            held.bind(("127.0.0.1", 0))
            self.port = held.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> IdentityProvider:
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.identity_provider", str(self.folder), str(self.port)],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, otherwise=lambda: f"the provider did not start:\n{self.log.read_text()}")
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the provider ended:\n{self.log.read_text()}"
        try:
            return httpx.get(f"{self.url}/.well-known/openid-configuration", timeout=PATIENCE).is_success
        except httpx.TransportError:
            return False

    def settings(self, name: str = "acme", **more: str) -> dict[str, str]:
        """The portal's environment variables for this provider."""
        prefix = f"OIDC_{name.upper()}"
        return {
            "OIDC_PROVIDERS": name,
            f"{prefix}_NAME": "Acme SSO",
            f"{prefix}_URL": self.url,
            f"{prefix}_CLIENT_ID": CLIENT_ID,
            f"{prefix}_CLIENT_SECRET": CLIENT_SECRET,
            **{f"{prefix}_{key}": value for key, value in more.items()},
        }

    def allow(self, callback: str) -> None:
        """Where it may return people to."""
        self.change("UPDATE allauth_idp_oidc_client SET redirect_uris = ?", callback)

    def add(
        self, name: str, *, verified: bool = True, groups: tuple[str, ...] = (), password: str = ""
    ) -> None:
        """A person with the address <name>@acme.test."""
        self.change(
            "INSERT INTO auth_user (username, password, email, first_name, last_name, is_active, is_staff, "
            "is_superuser, date_joined) VALUES (?, ?, ?, ?, 'Okafor', 1, 0, 0, ?)",
            *(name, make_password(password), f"{name}@acme.test", name.capitalize(), NOW),
        )
        self.change(
            "INSERT INTO account_emailaddress (user_id, email, verified, `primary`) "
            "SELECT id, email, ?, 1 FROM auth_user WHERE username = ?",
            *(verified, name),
        )
        self.set_groups(name, groups)

    def set_groups(self, name: str, groups: tuple[str, ...]) -> None:
        self.change(
            "DELETE FROM auth_user_groups WHERE user_id = (SELECT id FROM auth_user WHERE username = ?)", name
        )
        for group in groups:
            self.change("INSERT OR IGNORE INTO auth_group (name) VALUES (?)", group)
            self.change(
                "INSERT INTO auth_user_groups (user_id, group_id) SELECT auth_user.id, auth_group.id "
                "FROM auth_user, auth_group WHERE username = ? AND name = ?",
                *(name, group),
            )

    def set_address(self, name: str, email: str, *, verified: bool = True) -> None:
        self.change(
            "UPDATE account_emailaddress SET email = ?, verified = ? "
            "WHERE user_id = (SELECT id FROM auth_user WHERE username = ?)",
            *(email, verified, name),
        )

    def disable(self, name: str) -> None:
        self.change("UPDATE auth_user SET is_active = 0 WHERE username = ?", name)

    def change(self, sql: str, *parameters: Any) -> None:
        with closing(sqlite3.connect(self.folder / "provider.sqlite3", timeout=PATIENCE)) as connection:
            connection.execute(sql, parameters)
            connection.commit()

    def continue_at(self, url: str, *, name: str) -> str:
        """What the person's browser does there; the URL of the portal to which it is sent back."""
        with httpx.Client(timeout=PATIENCE) as browser:
            browser.get(f"{self.url}/enter/{name}/")
            response = browser.get(url)
            assert response.status_code == 302, response.text
            return response.headers["Location"]
