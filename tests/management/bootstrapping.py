"""Runs bootstrap, and reads the keys that it wrote."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command

from editor.models import (
    ApiKey,
)
from editor.operations import api_keys
from tests.factories import PASSWORD


def bootstrap(**options: Any) -> str:
    given = {
        "email": "amara@example.test",
        "password": PASSWORD,
        "workspace": "Acme Studio",
        "credits": 100,
        **options,
    }
    printed = io.StringIO()
    call_command("bootstrap", stdout=printed, **given)
    return printed.getvalue()


def key_in(path: Path) -> ApiKey:
    key = api_keys.find(path.read_text().strip())
    assert key is not None
    return key
