"""Words of people are shown in their own direction, left to right or right to left."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from editor.models import Image
from editor.operations import credits
from tests.factories import make_workspace
from tests.web.requests import body, signed_in
from tests.web.rows import add_job, add_result

pytestmark = pytest.mark.django_db

PROMPT = "הוסף SOLD, 24/7!"
NAME = "מאיה (Mei)"


@pytest.mark.parametrize("name", ["gallery", "gallery_image", "trash", "credits"])
def test_each_text_of_a_person_has_its_own_direction(name: str) -> None:
    workspace = make_workspace(name=NAME)
    user = workspace.members.get()
    user.name = NAME
    user.save()
    result = add_result(workspace, prompt=PROMPT, sent_prompt=f"{PROMPT}, sepia")
    credits.hold(
        account=credits.lock_account(workspace_id=workspace.pk), job=add_job(workspace, prompt=PROMPT)
    )
    if name == "trash":
        Image.objects.update(trashed_at=timezone.now(), trashed_by=user)
    parts = [result.pk] if name == "gallery_image" else []
    page = body(signed_in(user).get(reverse(name, args=[workspace.slug, *parts])))
    page = re.sub(r"(?s)<title>.*?</title>|<option.*?</option>", "", page)
    found = 0
    for text in (PROMPT, NAME):
        for tag in re.findall(rf"<([^<>]*)>[^<>]*{re.escape(text)}", page):
            assert tag == "bdi" or 'dir="auto"' in tag, (text, tag)
            found += 1
    assert found >= 3
