"""Words of people are shown in their own direction, left to right or right to left."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.contexts import jobs
from editor.media.limits import MAX_BYTES
from editor.models import Character, CharacterImage, Image, Status, Style, User, Workspace
from editor.operations import api_keys, credits, shares
from editor.queries import studio
from tests.factories import make_actor, make_workspace
from tests.web.requests import HTMX, body, signed_in
from tests.web.rows import add_completed, add_image, add_job, add_result

pytestmark = pytest.mark.django_db

PROMPT = "הוסף SOLD, 24/7!"
NAME = "مايا (Mei)"
RIGHT_TO_LEFT = re.compile(r"[֐-ۿ]")
ISOLATED = re.compile("\u2068[^\u2069]*\u2069")
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# Browsers show these in their own windows and menus, each by its first letter.
LEFT_OUT = {"title"}


class Words(HTMLParser):
    """All words written from right to left, and those in elements without a direction of their own."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []  # (tag, has its own direction)
        self.found: list[str] = []
        self.astray: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        own = given.get("dir") == "auto" or tag == "bdi"
        if tag == "input" and given.get("type") != "hidden":
            self._note(given.get("value") or "", tag, own)
        if tag not in VOID:
            self.open.append((tag, own))

    def handle_endtag(self, tag: str) -> None:
        while tag in [name for name, _ in self.open]:
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] not in LEFT_OUT:
            self._note(data, self.open[-1][0], any(own for _, own in self.open))

    def _note(self, text: str, tag: str, own: bool) -> None:
        if RIGHT_TO_LEFT.search(text):
            self.found.append(text.strip())
            if not own and RIGHT_TO_LEFT.search(ISOLATED.sub("", text)):
                self.astray.append(f"<{tag}>{text.strip()}")


@pytest.fixture
def workspace() -> Workspace:
    workspace = make_workspace(name=NAME)
    User.objects.update(name=NAME)
    return workspace


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


@pytest.fixture
def result(workspace: Workspace) -> Image:
    """A version of a file, made by a person with a prompt; another edit of it runs and the newest failed."""
    user = workspace.members.get()
    source = add_image(workspace, created_by=user, original_name=f"{NAME}.png")
    result = add_completed(workspace, source, version=2, user=user)
    assert result.job
    result.job.prompt, result.job.sent_prompt = PROMPT, f"{PROMPT}, sepia"
    result.job.save()
    add_job(workspace, prompt=PROMPT, parent=source, created_by=user)
    add_job(
        workspace, prompt=PROMPT, status=Status.FAILED, created_by=user, error=f"{PROMPT} fails. {PROMPT}"
    )
    Style.objects.create(workspace=workspace, name=NAME, prompt="sepia")
    character = Character.objects.create(workspace=workspace, name=NAME)
    CharacterImage.objects.create(character=character, image=source, position=1)
    return result


def trash_all(image: Image) -> None:
    Image.objects.update(trashed_at=timezone.now(), trashed_by=image.created_by)


def hold(image: Image) -> None:
    job = add_job(image.workspace, prompt=PROMPT, created_by=image.created_by)
    credits.hold(account=credits.lock_account(workspace_id=image.workspace_id), job=job)


def share(image: Image) -> None:
    shares.create(actor=make_actor(image.workspace), image=image, days=1, title=NAME)


def make_key(image: Image) -> None:
    api_keys.create(actor=make_actor(image.workspace), name=NAME)


def nothing(image: Image) -> None: ...


PAGES: dict[str, tuple[str, Callable[[Image], None], int]] = {
    # Route, what else there is, and how often words of people appear at least.
    "Studio": ("studio", nothing, 7),
    "version": ("studio_version", nothing, 12),
    "gallery": ("gallery", nothing, 4),
    "lightbox": ("gallery_image", nothing, 6),
    "shares": ("shares", share, 4),
    "trash": ("trash", trash_all, 5),
    "credits": ("credits", hold, 4),
    "API keys": ("api_keys", make_key, 5),
    "rail": ("rail", nothing, 5),
    "password": ("account_change_password", nothing, 1),
}


@pytest.mark.parametrize("page", PAGES)
def test_each_text_of_a_person_has_its_own_direction(
    workspace: Workspace, client: Client, result: Image, page: str
) -> None:
    name, prepare, least = PAGES[page]
    prepare(result)
    of_image = [result.pk] if name in ("studio_version", "gallery_image", "shares") else []
    parts = [] if name.startswith("account") else [workspace.slug, *of_image]
    data: dict[str, Any] = {"at": str(result.pk)} if name == "rail" else {"prompt": PROMPT, "q": PROMPT[:4]}
    response = client.get(reverse(name, args=parts), data, headers=HTMX if name == "rail" else {})
    assert response.status_code == 200
    words = Words(body(response))
    assert words.astray == []
    assert len(words.found) >= least, words.found


def test_a_shared_page_shows_its_title_in_its_own_direction(result: Image) -> None:
    _, token = shares.create(actor=make_actor(result.workspace), image=result, days=1, title=NAME)
    words = Words(body(Client().get(reverse("share", args=[token]))))
    assert words.astray == []
    assert words.found == [NAME]


@pytest.mark.parametrize("name", ["welcome", "studio", "api_keys", "gallery", "shares"])
def test_fields_for_words_of_people_take_the_direction_of_what_is_typed(name: str) -> None:
    if name == "welcome":
        page = body(Client().get(reverse(name)))
    else:
        workspace = make_workspace()
        parts = [add_result(workspace).pk] if name == "shares" else []
        page = body(signed_in(workspace.members.get()).get(reverse(name, args=[workspace.slug, *parts])))
    fields = re.findall(r"<textarea[^>]*>|<input[^>]*\b(?:type=\"(?:text|search)\"|maxlength)[^>]*>", page)
    assert fields
    assert [field for field in fields if 'dir="auto"' not in field] == []


def test_the_toast_of_a_result_shows_its_prompt_in_its_own_direction(result: Image) -> None:
    assert result.job
    job = studio.job(result.workspace, str(result.job.pk))
    assert job
    context = {"job": jobs.job_view(result.workspace, job), "workspace": result.workspace}
    words = Words(render_to_string("studio/_job_toast.html", context))
    assert (len(words.found), words.astray) == (1, [])


def test_a_file_that_is_too_large_is_named_in_its_own_direction(workspace: Workspace, client: Client) -> None:
    file = SimpleUploadedFile(f"{NAME}.png", b"\0" * (MAX_BYTES + 1), "image/png")
    page = body(client.post(reverse("upload", args=[workspace.slug]), {"files": file}, headers=HTMX))
    words = Words(page)
    assert (len(words.found), words.astray) == (1, [])


def test_a_prompt_shown_on_a_page_without_results_has_its_own_direction(
    workspace: Workspace, client: Client
) -> None:
    add_result(workspace, prompt=PROMPT)
    page = body(client.get(reverse("gallery", args=[workspace.slug]), {"q": PROMPT[:4], "starred": "1"}))
    assert Words(page).astray == []
