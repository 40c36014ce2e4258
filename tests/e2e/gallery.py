"""A gallery with edits, and helpers for its tests."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page

from tests.e2e.portal import Portal
from tests.e2e.test_pages import sign_in

AMARA, JONAS = "amara@example.test", "jonas@example.test"
GALLERY = "/w/acme-studio/gallery/"

# 40 edits of one photograph, each newer than the one before, and one that failed.
SEED = """
from pathlib import Path
from django.contrib.staticfiles import finders
from django.db import transaction
from django.utils import timezone
from editor.access import lookups
from editor.media import store
from editor.models import Job, Status, User, Workspace
from editor.operations import images, search
workspace = Workspace.objects.get()
people = list(User.objects.order_by("date_joined"))
actor = lookups.actor(people[0], workspace.slug)
source = images.find_or_add_sample(actor=actor, name="coffee")
content = Path(finders.find("samples/cat.jpg")).read_bytes()
clean = store.clean(content, tenant="seed")
for number in range(41):
    done = number < 40
    job = Job.objects.create(
        workspace=workspace, created_by=people[number % 2], parent=source, price=4,
        model="black-forest-labs/flux-kontext-pro", prompt=(prompt := f'add the text "take {number}"'),
        sent_prompt=prompt, inputs={"safetyTolerance": "2"}, provider="sandbox", target="x",
        status=Status.COMPLETED if done else Status.FAILED, finished_at=timezone.now(), time_limit=60,
        charged=4 if done else 0, error="" if done else "The provider refused.",
    )
    search.add(jobs=[job])
    job.job_images.create(image=source, role="source", position=0)
    if done:
        with transaction.atomic():
            images.create_results(job=job, stored=[images.save(workspace_id=workspace.id, clean=clean)])
"""


def fill(portal: Portal) -> Portal:
    """Add the edits and the user Jonas."""
    portal.bootstrap(email=JONAS, workspace="Acme Studio", credits=1000)
    portal.manage("shell", "-v", "0", "-c", SEED)
    return portal


def open_gallery(page: Page, portal: Portal, query: str = "", *, email: str = AMARA) -> None:
    sign_in(page, portal, email)
    page.goto(f"{portal.url}{GALLERY}{query}")


def tiles(page: Page) -> Locator:
    return page.locator("#grid > li.shot")


def tile(page: Page, number: int) -> Locator:
    """The tile of one seeded edit."""
    return tiles(page).filter(has_text=re.compile(rf"take {number}\b"))


def lightbox(page: Page) -> Locator:
    return page.get_by_role("dialog", name=re.compile("^Edit by"))


def pick(page: Page, *numbers: int) -> None:
    for number in numbers:
        tile(page, number).get_by_role("checkbox").check()
