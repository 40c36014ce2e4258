from __future__ import annotations

from pathlib import Path

import pytest

from tests.net.fetching import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Vouches for the servers from which a test fetches pictures."""
    return Authority(tmp_path)
