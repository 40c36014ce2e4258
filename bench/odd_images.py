"""A thousand images, odd in many ways, uploaded to a portal and compared with what Chromium shows.

`python -m bench.odd_images [COUNT]` prints the counts; the exit status is 1 after an error 500, a wrong size
or a wrong colour.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from bench import table
from bench.portal import OWNER, SLUG, WORKSPACE, chromium, run_inside, running_portal
from tests.e2e.client import Client
from tests.e2e.portal import Portal
from tests.media.oddities import Odd, oddities

COUNT = 1000
TOLERANCE = 12  # steps of 255, encoding with loss included
SMALLEST = 16  # pixels; below, one block of a lossy format holds several colours

# The size as drawn, and a pixel well within each of the four quarters.
_DRAW = """async ([type, content]) => {
  const image = new Image();
  image.src = `data:${type};base64,${content}`;
  try { await image.decode(); } catch { return null; }
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", {colorSpace: "srgb"});
  context.drawImage(image, 0, 0);
  const at = (x, y) => [...context.getImageData(Math.floor(width * x), Math.floor(height * y), 1, 1).data];
  return [[width, height], [at(.2, .2), at(.7, .2), at(.2, .7), at(.7, .7)]];
}"""

_STORED = """
import json
from editor.models import Image
rows = Image.objects.values_list("original_name", "storage_name", "content_type")
print(json.dumps({name: [stored, kind] for name, stored, kind in rows}))
"""

Shown = tuple[list[int], list[list[int]]]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with running_portal("--no-worker") as portal, chromium() as browser:
        portal.bootstrap(email=OWNER, workspace=WORKSPACE, credits=1)
        client = Client(portal, email=OWNER, slug=SLUG)
        images = list(oddities(count))
        answers = {odd.name: _send(client, odd) for odd in images}
        stored = json.loads(run_inside(portal, _STORED))
        page = browser.new_page()
        verdicts = {odd.name: _verdict(portal, page, odd, answers[odd.name], stored) for odd in images}
    _show(images, verdicts)
    wrong = {name: verdict for name, verdict in verdicts.items() if verdict.startswith(("error", "wrong"))}
    for name, verdict in wrong.items():
        sys.stderr.write(f"{name}: {verdict}\n")
    sys.exit(bool(wrong))


def _send(client: Client, odd: Odd) -> int:
    files = {"files": (odd.name, odd.content, odd.content_type)}
    return client.send(f"/w/{SLUG}/upload/", files=files).status_code


def _verdict(portal: Portal, page: Page, odd: Odd, status: int, stored: dict[str, Any]) -> str:
    if status >= 500:
        return f"error {status}"
    original = _drawn(page, odd.content_type, odd.content)
    if odd.name not in stored:
        return "refused" if original is None else "refused, but Chromium shows something"
    if original is None:
        return "stored, but not shown by Chromium"
    name, content_type = stored[odd.name]
    kept = _drawn(page, content_type, Path(portal.data, "media", name).read_bytes())
    if kept is None or kept[0] != original[0]:
        return f"wrong size: {kept and kept[0]} instead of {original[0]}"
    if min(original[0]) >= SMALLEST and _apart(kept[1], original[1]) > TOLERANCE:
        return f"wrong colours: {kept[1]} instead of {original[1]}"
    return "stored as Chromium shows it"


def _drawn(page: Page, content_type: str, content: bytes) -> Shown | None:
    drawn: Shown | None = page.evaluate(_DRAW, [content_type, b64encode(content).decode()])
    return drawn


def _apart(ours: list[list[int]], theirs: list[list[int]]) -> float:
    """The largest difference of two values, in so far as they are visible."""
    return max(
        max(abs(a - b) for a, b in zip(one[:3], other[:3], strict=True)) * other[3] / 255
        + abs(one[3] - other[3])
        for one, other in zip(ours, theirs, strict=True)
    )


def _show(images: list[Odd], verdicts: dict[str, str]) -> None:
    kinds = sorted({odd.kind for odd in images})
    counts = Counter((odd.kind, verdicts[odd.name].partition(":")[0]) for odd in images)
    outcomes = sorted({outcome for _, outcome in counts})
    table.show(
        f"{len(images):,} odd images, uploaded in the Studio",
        ("outcome", *kinds, "all"),
        [
            (outcome, *(str(n) for n in row), str(sum(row)))
            for outcome in outcomes
            if (row := [counts[kind, outcome] for kind in kinds])
        ],
    )


if __name__ == "__main__":
    main()
