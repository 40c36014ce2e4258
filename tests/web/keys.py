"""Requests to the API keys page, and parsing of it."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.test import Client
from django.urls import reverse

from editor.access.scopes import EVERYTHING
from editor.models import ApiKey, Workspace

BARE = re.compile(r"flk_[0-9A-Za-z]{46}")
DAY = 24 * 60 * 60


def page_of(workspace: Workspace) -> str:
    return reverse("api_keys", args=[workspace.slug])


def filled_in(**changes: Any) -> dict[str, Any]:
    return {"key_id": str(uuid.uuid4()), "name": "n8n", "scopes": [EVERYTHING], "expires_in": "", **changes}


def create(client: Client, workspace: Workspace, *, headers: Any = None, **changes: Any) -> Any:
    return client.post(page_of(workspace), filled_in(**changes), headers=headers)


def act(client: Client, key: ApiKey, name: str, headers: Any = None, **data: str) -> Any:
    url = reverse(f"api_key_{name}", args=[key.workspace.slug, key.pk])
    return client.post(url, data, headers=headers)


def row_of(page: str, name: str) -> str:
    """The list's row of the key with that name, without its dialogs."""
    (row,) = re.findall(rf"<tr [^>]*>\s*<th[^>]*>\s*<b[^>]*>{name}</b>.*?</tr>", page, re.DOTALL)
    return " ".join(re.sub(r"<dialog.*?</dialog>", "", row, flags=re.DOTALL).split())
