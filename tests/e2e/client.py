"""A user without a browser: signs in and submits the Studio's forms over HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from tests.e2e.portal import PASSWORD, Portal
from tests.patience import PATIENCE

Form = Mapping[str, str | list[str]]
Files = Mapping[str, tuple[str, bytes, str]]


class Client:
    def __init__(self, portal: Portal, *, email: str, slug: str) -> None:
        self.http = httpx.Client(base_url=portal.url, timeout=PATIENCE)
        self.slug = slug
        page = self.http.get("/accounts/login/")
        answer = self._post("/accounts/login/", page.text, {"login": email, "password": PASSWORD})
        assert answer.status_code == 302, answer.text

    def _post(self, path: str, page: str, data: Form, files: Files | None = None) -> httpx.Response:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found
        return self.http.post(path, data={"csrfmiddlewaretoken": found[1], **data}, files=files or None)

    def studio(self) -> str:
        answer = self.http.get(f"/w/{self.slug}/")
        assert answer.status_code == 200
        return answer.text

    def run(
        self, prompt: str, *, page: str | None = None, files: Files | None = None, **fields: str | list[str]
    ) -> httpx.Response:
        """Submit the Studio's form. The response to an accepted edit is a redirect (302)."""
        data = {"prompt": prompt, **({} if "model" in fields else {"tier": "standard"}), **fields}
        return self._post(f"/w/{self.slug}/run/", page or self.studio(), data, files)

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self._post(urlsplit(path).path, self.studio(), fields)

    def send(self, path: str, *, files: Files) -> httpx.Response:
        return self._post(path, self.studio(), {}, files)
