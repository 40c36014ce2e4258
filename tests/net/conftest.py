from __future__ import annotations

from pathlib import Path

import pytest

from tests.net.fetching import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Signs the certificates of the servers from which a test fetches images."""
    return Authority(tmp_path)
