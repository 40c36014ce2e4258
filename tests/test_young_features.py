"""What browsers of the last two years may lack is used only where something else serves in its place.

The dates are those of "Baseline, newly available": https://web.dev/baseline. A name leaves this list when
it has been in Chromium, Firefox and Safari for two years.
"""

from __future__ import annotations

import re

from tests.test_front_end import SCRIPTS, STYLES, TEMPLATES

HTML = {
    r"closedby=": "Escape and a button close each dialog too",
    r"command=|commandfor=": "static/vendor/invokers",
    r"rel=\"expect\"|blocking=": "the page is shown as it comes",
    r"interestfor=|popover=\"?hint|<selectedcontent|hidden=\"?until-found": "",
}
CSS = {
    r"field-sizing": "the field scrolls",
    r"position-area|position-try": "in @supports; menus open below the top bar",
    r"attr\([\w-]+ (px|type)": "in @supports; the size is known when the image has loaded",
    r"::view-transition": "in a rule of its own",
    r"anchor\(|anchor-name|position-anchor|anchor-size|@position-try": "",
    r"(animation|scroll|view)-timeline|interpolate-size|calc-size\(|@view-transition|view-transition-name": "",
    r"text-box|text-wrap: pretty|(?<!-webkit-)line-clamp|corner-shape|reading-flow|@function|sibling-(index|count)": "",
    r":open\b|::scroll-|::checkmark|::picker|base-select|:has-slotted|scroll-state\(|style\(|\bif\(": "",
    r"contrast-color|\bshape\(|\bprogress\(|\brandom\(": "",
}
JS = {
    r"fromBase64|toBase64|fromHex|RegExp\.escape|Promise\.try|Iterator\.|Error\.isError|Temporal\.": "",
    r"requestClose|closedBy|moveBefore|\bnavigation\.|URLPattern|scrollend|CloseWatcher|setHTML": "",
    r"cookieStore|Float16Array|DurationFormat|sumPrecise|\.values\(\)\.(map|filter|some|toArray)|scheduler\.": "",
    r"startViewTransition": "",
}


def used(features: dict[str, str], text: str) -> dict[str, str]:
    return {name: instead for name, instead in features.items() if re.search(name, text)}


def test_young_features_have_something_in_their_place() -> None:
    texts = (
        (HTML, "\n".join(template.read_text() for template in TEMPLATES)),
        (CSS, STYLES.read_text()),
        (JS, "\n".join(script.read_text() for script in SCRIPTS)),
    )
    for features, text in texts:
        found = used(features, text)
        assert [name for name, instead in found.items() if not instead] == []
        assert found == {name: instead for name, instead in features.items() if instead}, "no longer used"
