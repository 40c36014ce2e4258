from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.files import MODEL, TIERS


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "paint.toml").write_text(MODEL, encoding="utf-8")
    (tmp_path / "tiers.toml").write_text(TIERS, encoding="utf-8")
    return tmp_path
