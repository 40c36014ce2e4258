"""The guide docs/api.md: its snippets are run unchanged against a real portal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.portal import ROOT, Portal
from tests.patience import PATIENCE

GUIDE = ROOT / "docs" / "api.md"
SNIPPET = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# The output of the snippet under each heading.
PRINTED = {
    "A key": "",
    "Upload": rf"uploaded {UUID}\n",
    "Process": "completed\n",
    "Chain": "completed\n",
    "Estimate": "True\n",
    "Errors": r".*invalid_input.*prompt.*\n?",
    "Limits": r"(?i:x-ratelimit-(?:limit|remaining|reset):? \d+\r?\n){3}",
    "Limits of credits": r"\d+\n",
    "Usage": r"\{.*\"group\": ?\"api\".*\}\n?|(\d{4}-\d\d-\d\d .+ \d+ \d+\n)+",
    "From other sites": (
        r"(?i:access-control-allow-origin: \*\s+access-control-allow-methods: get, post\s+"
        r"access-control-allow-headers: authorization, content-type, .*\s+)"
    ),
    "Retrying safely": rf"({UUID})\n\1\n",
    "Without waiting": r"(event: task_\w+\n)+event: completed\ncompleted\n",
}


def snippets(language: str) -> dict[str, str]:
    """The snippets of this language by heading."""
    found: dict[str, str] = {}
    _, *parts = HEADING.split(GUIDE.read_text())
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        for kind, code in SNIPPET.findall(text):
            if kind == language:
                assert heading not in found, "one snippet of a language under each heading"
                found[heading] = code
    return found


@pytest.fixture
def folder(common_portal: Portal, tmp_path: Path) -> Path:
    """The reader's folder, with a photograph."""
    shutil.copy(ROOT / "static" / "samples" / "coffee.jpg", tmp_path / "photo.jpg")
    return tmp_path


@pytest.fixture
def environment(common_portal: Portal, tmp_path: Path) -> dict[str, str]:
    """The reader's environment: the portal's URL and a key, nothing else of the portal."""
    key_file = tmp_path / "key"
    common_portal.bootstrap(
        email="amara@example.test",
        workspace="Acme Studio",
        credits=5_000,
        api_key_file=str(key_file),
    )
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        **{name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"},
        "ATELIER_URL": common_portal.url,
        "ATELIER_KEY": key_file.read_text().strip(),
    }


def printed(command: list[str], program: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=program,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def assert_as_promised(output: str, folder: Path) -> None:
    for heading, expected in PRINTED.items():
        part = output.partition(f"== {heading}\n")[2].partition("== ")[0]
        assert re.fullmatch(expected, part), (heading, part)
    with Image.open(folder / "warmer.jpg") as picture:
        assert picture.format == "JPEG"


def test_each_heading_has_a_snippet_in_both_languages() -> None:
    assert list(snippets("sh")) == list(snippets("python")) == list(PRINTED)


def test_the_shell_snippets_do_what_the_guide_says(folder: Path, environment: dict[str, str]) -> None:
    assert shutil.which("curl"), "no curl: `make test` installs one"
    program = "set -eu\n" + "".join(f"echo '== {name}'\n{code}" for name, code in snippets("sh").items())
    assert_as_promised(printed(["sh"], program, folder, environment), folder)


def test_the_python_snippets_do_what_the_guide_says(folder: Path, environment: dict[str, str]) -> None:
    parts = (f"print('== {name}', flush=True)\n{code}" for name, code in snippets("python").items())
    assert_as_promised(printed([sys.executable, "-"], "\n".join(parts), folder, environment), folder)


def test_the_guide_explains_each_variable_that_it_uses() -> None:
    used = set(re.findall(r"ATELIER_\w+", "".join([*snippets("sh").values(), *snippets("python").values()])))
    reported = set(re.findall(r"export (ATELIER_\w+)", GUIDE.read_text()))
    assert used == reported == {"ATELIER_URL", "ATELIER_KEY"}
