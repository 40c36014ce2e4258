"""Templates and static files: nothing inline, nothing missing, and fragments with the right content."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from editor import catalog
from editor.contexts.jobs import Failure, JobView, Step
from editor.contexts.versions import StageView, VersionView
from editor.models import Workspace
from editor.web.forms.model_inputs import ID
from editor.web.forms.operator import CreditsForm

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
STYLES = ROOT / "static" / "css" / "app.css"
OURS = '<p class="problem"'  # start of a response that app.js swaps in
CROSS_SITE = '<script>alert(1)</script><hx-partial hx-target="body">'


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- What the policy forbids, and what must exist ---------------------------------------


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
@pytest.mark.parametrize(
    "forbidden",
    [
        r"<script(?![^>]*\ssrc=)",  # inline script
        r"<style\b",
        r"\sstyle=",
        r"\son[a-z]+=",  # onclick and the like
        r"\shx-on\b",
        r"javascript:|\bjs:",
        r"hx-trigger=[\"'][^\"']*\[",  # a filter is evaluated as script
        r"(?:src|href)=[\"']https?:",  # nothing from other sites
    ],
)
def test_templates_comply_with_the_content_security_policy(template: Path, forbidden: str) -> None:
    if template.parent.name == "mail" and forbidden == r"\sstyle=":
        return  # mails are read in mail clients, and previewed in a sandboxed frame with a policy of its own
    assert not re.search(forbidden, template.read_text())


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_templates_pass_their_includes_exactly_the_variables_they_need(template: Path) -> None:
    for tag in re.findall(r"{% include .*?%}", template.read_text()):
        assert tag.endswith(" only %}"), tag


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_the_static_files_named_in_templates_exist(template: Path) -> None:
    for name in re.findall(r"{% static ['\"]([^'\"]+)['\"]", template.read_text()):
        assert finders.find(name), name


def test_the_files_named_in_the_style_sheet_exist() -> None:
    names = re.findall(r'url\("([^"]+)"\)', STYLES.read_text())
    assert names
    for name in names:
        assert (STYLES.parent / name).resolve().is_file(), name


def test_the_style_sheet_starts_with_its_table_of_contents() -> None:
    """Layers, and the blocks in them, in their order."""
    top, sheet = STYLES.read_text().split("*/", 1)
    blocks = re.findall(r"^(?:/\* =+ (.+) \*/|  /\* ---- (.+) ---- \*/)$", sheet, re.MULTILINE)
    assert blocks
    assert re.findall(r"^ \*   (?: {4})?(\S.*)$", top, re.MULTILINE) == ["".join(name) for name in blocks]


def test_own_script_stays_small() -> None:
    lines = [len(script.read_text().splitlines()) for script in SCRIPTS]
    assert max(lines) < 200
    assert sum(lines) < 450


def test_every_command_in_a_template_is_handled_by_a_script() -> None:
    known = {name for script in SCRIPTS for name in re.findall(r'"(--[a-z]+)"', script.read_text())}
    given = {
        name for template in TEMPLATES for name in re.findall(r'command="(--[a-z]+)"', template.read_text())
    }
    assert given <= known
    assert known - given <= {"--divide", "--radius", "--x", "--y"}, "these are CSS properties"


def test_every_command_has_a_target_in_a_template() -> None:
    everything = "".join(template.read_text() for template in TEMPLATES)
    options = {ID % item.name for model in catalog.catalog().models.values() for item in model.options}
    options |= {field.auto_id for field in CreditsForm()}
    for target in re.findall(r'commandfor="([^"]+)"', everything):
        assert target in options or f'id="{target}"' in everything, target


def test_every_upload_names_its_progress() -> None:
    everything = "".join(template.read_text() for template in TEMPLATES)
    named = set(re.findall(r'data-progress="([^"]+)"', everything))
    shown = set(re.findall(r'"studio/_sending.html" with id="([^"]+)"', everything))
    assert named == shown == {"sending-image", "sending-reference", "sending-mask"}


class Page(HTMLParser):
    """Attributes of all elements, the targets of partials, and the text inside each of them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.partials: dict[str, str] = {}
        self._target = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "hx-partial":
            self._target = dict(attrs)["hx-target"] or ""
            self.partials[self._target] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "hx-partial":
            self._target = ""

    def handle_data(self, data: str) -> None:
        if self._target:
            self.partials[self._target] += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def version(**changes: Any) -> VersionView:
    image_id: UUID = changes.pop("id", None) or uuid4()
    values: dict[str, Any] = {
        "id": image_id,
        "number": 2,
        "label": "v2",
        "prompt": "Make it blue",
        "url": f"/w/acme/{image_id}/",
        "thumb_url": "/thumb",
        "middle_url": "/middle",
        "preview_url": "/preview",
        "full_url": "/full",
        "download_url": "/download",
        "width": 600,
        "height": 400,
        "alt": "v2: Make it blue",
        "credits": 4,
    }
    return VersionView(**values | changes)


def job(**changes: Any) -> JobView:
    values: dict[str, Any] = {
        "id": uuid4(),
        "prompt": "Make it blue",
        "model_label": "FLUX.2 [pro]",
        "source": None,
        "elapsed": "1.9 s",
        "masked": False,
        "percent": 45,
        "state": "running",
        "steps": [Step("queued", "Queued", "done"), Step("generating", "Generating", "now")],
        "cancelable": True,
        "error": "",
        "charge": "",
        "failure": None,
        "parent_id": None,
        "stage": None,
        "announce": "",
        "credits": 0,
        "mine": True,
        "long": False,
    }
    return JobView(**values | changes)


def failed(*, error: str = "", charge: str = "", long: bool = False, **changes: Any) -> JobView:
    failure = Failure(
        uuid4(), summary=error, charge=charge, details=error, details_title="Details", long=long
    )
    return job(state="failed", error=error, charge=charge, failure=failure, long=long, **changes)


def live(about: JobView | None, jobs: list[JobView] | None = None) -> Page:
    workspace = Workspace(slug="acme", name="Acme")
    context = {"workspace": workspace, "job": about, "jobs": jobs or [], "balance": 1408}
    return Page(render_to_string("studio/_live.html", context))


def test_a_push_carries_the_whole_list_of_live_cards_and_the_balance() -> None:
    one, other = job(), job()
    page = live(one, [one, other])
    assert [card["id"] for card in page.attributes("article")] == [f"job-{one.id}", f"job-{other.id}"]
    assert page.partials["#balance"] == "1,408"
    assert "#pull" not in page.partials


def test_a_push_about_only_the_balance_changes_no_stage() -> None:
    assert set(live(None).partials) == {"#told", "#accepted", "#jobs", "#balance", "#credits-pull"}


def test_a_running_or_completed_edit_of_the_viewer_clears_the_failure_before_it() -> None:
    stage = StageView(current=version(), before=None, leave_url="/")
    for state in ("running", "completed"):
        assert live(job(state=state, stage=stage)).partials["#failure"].strip() == ""
        assert "#failure" not in live(job(state=state, stage=stage, mine=False)).partials


def test_a_card_shows_its_progress_and_cancels_only_if_possible() -> None:
    running, stopping = job(), job(cancelable=False)
    page = live(running, [running, stopping])
    assert [bar["value"] for bar in page.attributes("progress")] == ["45", "45"]
    assert [button.get("id") for button in page.attributes("button")] == [f"job-{running.id}-cancel"]
    assert "Generating 45%" in page.partials["#jobs"]


def test_a_result_goes_to_the_stage_and_the_chip_of_its_source() -> None:
    source, result = version(label="Original"), version(label="v2")
    stage = StageView(current=result, before=source, leave_url=source.url)
    page = live(job(state="completed", parent_id=source.id, stage=stage, announce="Edit ready", credits=4))
    assert {f"#stage-{source.id}", f"#chip-{source.id}", "#toasts", "#pull", "#say"} <= set(page.partials)
    assert len(page.attributes("before-after")) == 1
    chip = [field for field in page.attributes("input") if field.get("name") in ("images", "at")]
    assert {field["value"] for field in chip} == {str(result.id)}
    assert "4 credits" in page.partials["#toasts"]


def test_a_result_without_a_source_goes_to_the_empty_stage_and_compares_nothing() -> None:
    page = live(job(state="completed", stage=StageView(current=version(), before=None, leave_url="/")))
    assert {"#stage-empty", "#chip-empty"} <= set(page.partials)
    assert not page.attributes("before-after")


def test_a_failure_stays_at_the_composer_and_is_a_toast_elsewhere() -> None:
    page = live(failed(error="The provider refused.", charge="Nothing was charged."))
    for part in ("#failure", "#elsewhere"):
        assert "The provider refused." in page.partials[part]
        assert "Nothing was charged." in page.partials[part]
    assert "toast stays" in [div.get("class") for div in page.attributes("div")]
    assert not [target for target in page.partials if target.startswith("#stage")]
    assert "#toasts" not in page.partials


@pytest.mark.parametrize("state", ["running", "completed", "failed"])
def test_a_prompt_is_escaped_wherever_it_is_shown(state: str) -> None:
    result = version(prompt=CROSS_SITE, alt=CROSS_SITE)
    stage = StageView(current=result, before=result, leave_url="/") if state == "completed" else None
    about = job(state=state, prompt=CROSS_SITE, error=CROSS_SITE, announce=CROSS_SITE, stage=stage)
    page = live(failed(error=CROSS_SITE, prompt=CROSS_SITE) if state == "failed" else about, [about])
    assert not page.attributes("script")
    assert "body" not in page.partials


def test_a_cancellation_shows_its_refund_only_to_the_user_who_ran_it() -> None:
    ended = {"state": "canceled", "charge": "4 credits refunded."}
    page = live(job(**ended))
    assert "Edit canceled" in page.partials["#toasts"]
    assert "4 credits refunded." in page.partials["#toasts"]
    assert "#toasts" not in live(job(**ended, mine=False)).partials


def test_an_end_sets_the_title_of_a_hidden_tab_and_a_long_edit_notifies() -> None:
    stage = StageView(current=version(), before=None, leave_url="/")
    for long in (True, False):
        ready = live(job(state="completed", stage=stage, long=long))
        for page, news in ((ready, ["Ready"]), (live(failed(long=long)), ["Failed", "Failed"])):
            reported = [part for part in page.attributes("div") if "data-news" in part]
            assert [part["data-news"] for part in reported] == [f"{each} · Studio" for each in news]
            assert {"data-long" in part for part in reported} == {long}


def test_the_response_to_run_contains_a_new_key_and_clears_the_error() -> None:
    context = {"idempotency_key": "k2", "history": [CROSS_SITE, "warmer"]}
    page = Page(render_to_string("studio/_run_ok.html", context))
    assert ("input", {"type": "hidden", "name": "idempotency_key", "value": "k2", "autocomplete": "off"}) in (
        page.elements
    )
    assert "problem" not in page.partials["#prompt-error"]
    assert [option["value"] for option in page.attributes("option")] == [CROSS_SITE, "warmer"]
    others = {"#run-key", "#prompt-error", "#over", "#accepted", "#history"}
    assert set(page.partials) == others, "the rest is the socket's, in order"


def test_an_error_is_marked_as_the_portals_own_for_the_script() -> None:
    html = render_to_string("studio/_error.html", {"error": "Too long.", "fields": {"seed": "Too large."}})
    assert OURS in (ROOT / "static/js/app.js").read_text()
    assert html.strip().startswith(OURS)
    assert "seed: Too large." in html


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "500.html"])
def test_an_error_page_needs_no_context_and_does_not_look_like_a_fragment(name: str) -> None:
    html = render_to_string(name)
    assert "<h1>" in html
    assert not html.strip().startswith(OURS)
