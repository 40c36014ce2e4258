"""The guides in docs/ as pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify

DOCS: Path = settings.BASE_DIR / "docs"


@dataclass(frozen=True, slots=True)
class Guide:
    """`html` has everything below the title; `text` is the whole file, in Markdown."""

    title: str
    html: SafeString
    text: str


@cache
def guide(name: str) -> Guide:
    """The guide docs/<name>.md, which starts with its title. Links to other files become plain text."""
    from markdown_it import MarkdownIt  # noqa: PLC0415  # only these pages need it

    text = (DOCS / f"{name}.md").read_text()
    title, _, rest = text.partition("\n")
    # HTML in the file would be shown as text.
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(rest)
    for heading, content in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", slugify(content.content))
        content.children = _without_links_to_files(content.children or []) or None
    html = parser.renderer.render(tokens, parser.options, {})
    # What is wide scrolls, by keyboard too.
    html = html.replace("<pre>", '<pre tabindex="0">')
    html = html.replace("<table>", '<div class="scroll" tabindex="0"><table>')
    html = html.replace("</table>", "</table></div>")
    return Guide(title=title.removeprefix("# "), html=mark_safe(html), text=text)  # noqa: S308  # our own file


def _without_links_to_files(children: Sequence[Any]) -> list[Any]:
    """The inline tokens, with links only to other sites and within the page."""
    kept, dropping = [], False
    for token in children:
        if token.type == "link_open":
            dropping = not str(token.attrGet("href")).startswith(("https://", "#"))
        if not (dropping and token.type in {"link_open", "link_close"}):
            kept.append(token)
    return kept
