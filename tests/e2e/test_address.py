"""The address printed at the start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import ask
from tests.e2e.portal import Portal


@pytest.mark.parametrize(
    "given",
    [
        {"HOST": ""},
        {"HOST": "localhost"},
        {"HOST": "0.0.0.0"},
        {"HOST": "0.0.0.0", "ALLOWED_HOSTS": " 127.0.0.1 , images.example.com"},
    ],
    ids=["default", "name", "every-address", "own-hosts"],
)
def test_the_printed_address_can_be_opened(portals: Path, tmp_path: Path, given: dict[str, str]) -> None:
    (portals / tmp_path.name).mkdir()
    portal = Portal(portals / tmp_path.name, **given)
    try:
        portal.start()
        found = re.search(r"^The portal is running at (\S+) ", portal.log.read_text(), re.MULTILINE)
        assert found, portal.log.read_text()
        assert ask.get(f"{found[1]}welcome/").status_code == 200
    finally:
        portal.remove()
