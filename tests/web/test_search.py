"""The gallery's search, as people type into it."""

from __future__ import annotations

import re
import unicodedata
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse

from editor.models import Character, Membership, SearchEntry, Status, Style, Workspace
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from tests.factories import UserFactory, make_actor, make_image, make_member, make_workspace
from tests.web.requests import body, signed_in
from tests.web.rows import add_job, add_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(owner=UserFactory.create(name="Mei Lindqvist"))


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def found(client: Client, workspace: Workspace, q: str, **query: str) -> set[str]:
    page = client.get(reverse("gallery", args=[workspace.slug]), {"q": q, **query})
    return set(re.findall(r'<li class="shot" id="tile-([0-9a-f-]+)"', body(page)))


def ids(*rows: Any) -> set[str]:
    return {str(row.pk) for row in rows}


PROMPTS = {
    "film": 'Like "Portra-400" (24/7, f/1.8), see photo.png at example.com/my_cat; don\u2019t blur',
    "naive": "Paint it naïve, like a café in Łódź, Ångström and İstanbul",
    "decomposed": unicodedata.normalize("NFD", "Très sombre, élève à gauche"),
    "chinese": "把照片里的天空变成橙色\uff0c保留人物",
    "japanese": "写真の空を夕焼けにして、ガラスはそのまま",
    "korean": "사진의 하늘을 주황색으로 바꿔주세요",
    "thai": "ทำให้ท้องฟ้าในภาพถ่ายเป็นสีส้ม",
    "hindi": "हिन्दी फोटो को चमकीला करें",
    "russian": "сделай мой портрет ярче, ёлка",
    "emoji": "add a rocket 🚀 and the flag 🇯🇵, ❤️ and 👍🏽",
}


@pytest.mark.parametrize(
    ("q", "finds"),
    [
        *[(q, "film") for q in ("portra-400", "Portra", "400", '"portra-400"', "portra 400", "(24/7,")],
        *[(q, "film") for q in ("24/7", "f/1.8", "1.8", "photo.png", "png", "example.com", "com/my", "cat;")],
        *[(q, "film") for q in ("my_cat", "cat", "don't", "don\u2019t", "blur", "…blur")],
        *[(q, "naive") for q in ("naive", "naïve", "nai\u0308ve", "NAÏVE", "naïve,", "cafe", "lodz", "Łódź")],
        *[(q, "naive") for q in ("angstrom", "ångström", "istanbul", "İSTANBUL", "\uff4eaive")],
        *[(q, "decomposed") for q in ("très", "tres", "élève", "ELEVE", "gauche")],
        *[
            (q, "chinese")
            for q in ("照片", "天空", "天空变成", "橙", "橙色", "物", "保留人物", "片里的天 保留")
        ],
        *[(q, "japanese") for q in ("写真", "夕焼け", "真の空", "ガラス", "ｶﾞﾗｽ", "ガ", "そのまま")],
        *[(q, "korean") for q in ("사진", "하늘", "늘을", "주황색", "요")],
        *[(q, "thai") for q in ("ท้องฟ้า", "ภาพถ่าย", "ถ่าย", "สีส้ม", "ในภาพ")],
        *[(q, "hindi") for q in ("हिन्दी", "फोटो", "फो", "करें")],
        *[(q, "russian") for q in ("мой", "ЯРЧЕ", "елка", "ёлка")],
        *[(q, "emoji") for q in ("🚀", "rocket 🚀", "🇯🇵", "❤", "❤️", "👍", "👍🏽")],
    ],
)
def test_whatever_stands_in_a_prompt_finds_it(
    client: Client, workspace: Workspace, q: str, finds: str
) -> None:
    rows = {name: add_result(workspace, prompt=prompt) for name, prompt in PROMPTS.items()}
    assert found(client, workspace, q) == ids(rows[finds])


@pytest.mark.parametrize(
    ("prompt", "q"),
    [
        ("7 apples, 24 pears", "24/7"),
        ("portra and 400 more", "portra-400"),
        ("a photo, and a png", "photo.png"),
        ("f/1.4 and 8 lamps", "f/1.8"),
        ("日本と本語", "日本語"),
        ("写真と空", "真空"),
        ("हनद", "हिन्दी"),
        ("मोटा", "मोटी"),
        ("мои глаза", "мой"),
        ("🇵🇯", "🇯🇵"),
        ("🚗", "🚀"),
        ("c and d", "c++"),
        ("warmer", "armer"),
        ("warmer", "person"),
        ("warmer", ":person"),
        ("warmer", "model"),
    ],
)
def test_nothing_else_is_found(client: Client, workspace: Workspace, prompt: str, q: str) -> None:
    add_result(workspace, prompt=prompt)
    assert found(client, workspace, q) == set()


def test_words_of_its_style_character_model_and_person_find_an_edit(
    client: Client, workspace: Workspace
) -> None:
    style = Style.objects.create(workspace=workspace, name="Crème Brûlée", prompt="brown")
    character = Character.objects.create(workspace=workspace, name="Captain O'Neill")
    edit = add_result(
        workspace,
        prompt="make it warmer",
        model="black-forest-labs/flux-2-pro",
        style=style,
        character=character,
    )
    add_result(workspace, prompt="sepia", user=make_member(workspace))
    for q in ("creme", "brûlée", "Crème Brûlée", "captain", "o'neill", "neill", "flux-2", "FLUX.2", "mei"):
        assert found(client, workspace, q) == ids(edit), q
    assert found(client, workspace, "warm lindqvist creme pro") == ids(edit)
    for q in ("black", "forest", "brown", "rème", "mei captains", "lindqvist-mei"):
        assert found(client, workspace, q) == set(), q


def test_a_new_name_counts_at_once_and_the_old_one_no_longer(client: Client, workspace: Workspace) -> None:
    style = Style.objects.create(workspace=workspace, name="Gouache", prompt="paint")
    edit = add_result(workspace, style=style)
    Style.objects.filter(pk=style.pk).update(name="Aquarelle")
    workspace.members.update(name="Noor")
    assert found(client, workspace, "aquarelle noor") == ids(edit)
    assert found(client, workspace, "gouache") == set()
    assert found(client, workspace, "mei") == set()


def test_people_are_found_by_the_name_that_the_gallery_shows(client: Client, workspace: Workspace) -> None:
    former = make_member(workspace)
    Membership.objects.filter(user=former).delete()
    former.name, former.email = "", "tunde.b@example.test"
    former.save()
    edit = add_result(workspace, user=former)
    add_result(workspace)
    assert found(client, workspace, "tunde") == ids(edit)
    assert found(client, workspace, "example.test") == set()
    former.delete()
    assert found(client, workspace, "tunde") == set()


def test_names_of_another_workspace_find_nothing_here(client: Client, workspace: Workspace) -> None:
    rivals = make_workspace(name="Rivals", owner=UserFactory.create(name="Zebedee"))
    Style.objects.create(workspace=rivals, name="Zebra", prompt="stripes")
    add_result(rivals, prompt="zen")
    add_result(workspace)
    assert found(client, workspace, "ze") == set()


def test_edits_without_a_result_are_found_too(client: Client, workspace: Workspace) -> None:
    failed = add_job(workspace, status=Status.FAILED, prompt="portra-400")
    add_job(workspace, status=Status.FAILED, prompt="sepia")
    assert found(client, workspace, "400", status="failed") == ids(failed)


def test_edits_from_before_the_search_had_entries_are_found(client: Client, workspace: Workspace) -> None:
    style = Style.objects.create(workspace=workspace, name="Gouache", prompt="paint")
    edit = add_result(workspace, prompt="portra-400 写真", style=style)
    SearchEntry.objects.all().delete()
    assert found(client, workspace, "400") == set()
    migration = import_module("editor.migrations.0023_search_entries")
    with connection.schema_editor() as schema_editor:
        migration.add_entries(apps, schema_editor)
    assert found(client, workspace, "400 真 gouache mei") == ids(edit)


def test_a_submitted_edit_is_found(client: Client, workspace: Workspace) -> None:
    actor = make_actor(workspace)
    edit = NewEdit(prompt="like portra-400", image_ids=(make_image(actor).id,))
    job = jobs.submit(actor=actor, request=edit)
    assert found(client, workspace, "400 mei", status="running") == ids(job)


def test_the_search_stays_as_it_was_typed(client: Client, workspace: Workspace) -> None:
    page = client.get(reverse("gallery", args=[workspace.slug]), {"q": " Portra-400  \0 !!  24/7"})
    assert 'value="Portra-400 24/7"' in body(page)
