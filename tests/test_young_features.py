"""What browsers of the last two years may lack is used only where something else serves in its place.

The dates are those of "Baseline, newly available": https://web.dev/baseline. A name leaves this list when
it has been in Chromium, Firefox and Safari for two years.
"""

from __future__ import annotations

import re

import pytest

from tests.test_front_end import SCRIPTS, STYLES, TEMPLATES

# What is used, and what serves in its place.
USED = {
    "html": {
        r"closedby=": "Escape and a button close each dialog too",
        r"command=|commandfor=": "static/vendor/invokers",
        r"rel=\"expect\"|blocking=": "the page is shown as it comes",
    },
    "css": {
        r"field-sizing": "the field scrolls",
        r"position-area|position-try": "in @supports; menus open below the top bar",
        r"anchor-name|position-anchor": "in @supports; a version's tooltip opens at its own row",
        r"attr\([\w-]+ (px|type)": "in @supports; the size is known when the image has loaded",
        r"::view-transition": "in a rule of its own",
    },
    "js": {},
}
# What is not used. Whoever wants it finds something that serves in its place.
UNUSED = {
    "html": r"interestfor=|popover=\"hint|<selectedcontent|hidden=\"until-found",
    "css": r"anchor\(|anchor-size|@position-try|@view-transition"
    r"|view-transition-name|(animation|scroll|view)-timeline|interpolate-size|calc-size\(|text-box"
    r"|text-wrap: pretty|(?<!-webkit-)line-clamp|corner-shape|reading-flow|@function|sibling-(index|count)"
    r"|:open\b|::scroll-|::checkmark|::picker|base-select|:has-slotted|scroll-state\(|style\(|\bif\("
    r"|contrast-color|\bshape\(|\bprogress\(|\brandom\(",
    "js": r"fromBase64|toBase64|fromHex|RegExp\.escape|Promise\.try|Iterator\.|Error\.isError|Temporal\."
    r"|requestClose|closedBy|moveBefore|\bnavigation\.|URLPattern|scrollend|CloseWatcher|setHTML|cookieStore"
    r"|Float16Array|DurationFormat|sumPrecise|\.values\(\)\.(map|filter|some)|scheduler\.|startViewTransition",
}
FILES = {"html": TEMPLATES, "css": [STYLES], "js": SCRIPTS}


@pytest.mark.parametrize("kind", FILES)
def test_young_features_have_something_in_their_place(kind: str) -> None:
    text = "\n".join(file.read_text() for file in FILES[kind])
    assert [feature for feature in USED[kind] if not re.search(feature, text)] == [], "no longer used"
    assert [found[0] for found in re.finditer(UNUSED[kind], text)] == []
