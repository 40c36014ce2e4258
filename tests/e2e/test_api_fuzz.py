"""The public API responds to any input as its document says: schemathesis, with few examples.

schemathesis.toml describes a run by hand with many examples.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.e2e.api import Api
from tests.e2e.seed_client import BASE

EXAMPLES = 5  # of each call
SECONDS = 900


def test_every_response_matches_the_document(api: Api, tmp_path: Path) -> None:
    document = f"{api.portal.url}{BASE}/openapi.json"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
            *("run", document, "--header", f"Authorization: Bearer {api.keys['fuzz']}"),
            *("--max-examples", str(EXAMPLES)),
            "--generation-deterministic",  # random examples are for runs by hand
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 selected / 20 total" in done.stdout, done.stdout
    assert api.portal.query(
        "SELECT balance + held - (SELECT sum(amount + held_amount) FROM editor_ledgerentry "
        "WHERE account_id = workspace_id) FROM editor_creditaccount JOIN editor_workspace w "
        "ON w.id = workspace_id WHERE slug = 'fuzz'"
    ) == [(0,)]
