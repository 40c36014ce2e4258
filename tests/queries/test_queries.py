"""Contents and order of lists."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from editor.models import Image, Job, LedgerEntry, Status, Style
from editor.operations import credits
from editor.queries import ledger, members, studio
from tests.factories import UserFactory, make_workspace
from tests.web.rows import add_completed, add_image, add_job

pytestmark = pytest.mark.django_db


def test_the_edit_tree_is_the_same_for_each_of_its_versions() -> None:
    workspace = make_workspace()
    user = workspace.members.get()
    source = add_image(workspace)
    versions = [source, *(add_completed(workspace, source, version=number, user=user) for number in (2, 3))]
    add_image(workspace)
    for image in versions:
        assert [version.id for version in studio.edit_tree(image)] == [version.pk for version in versions]


def test_live_cards_are_the_newest_up_to_a_limit() -> None:
    workspace = make_workspace()
    live = [add_job(workspace) for _ in range(studio.LIVE_CARDS + 2)]
    add_job(workspace, status=Status.COMPLETED)
    add_job(make_workspace(name="Rivals"))
    assert studio.live_jobs(workspace) == live[:1:-1]


def test_a_job_is_found_only_in_its_own_workspace() -> None:
    job = add_job(make_workspace())
    assert studio.job(job.workspace, str(job.id)) == job
    assert studio.job(make_workspace(name="Rivals"), str(job.id)) is None


def test_jobs_that_ended_since_are_returned_oldest_first() -> None:
    workspace, now = make_workspace(), timezone.now()
    ages = {minutes: add_job(workspace, status=Status.COMPLETED) for minutes in (1, 9, 3)}
    for minutes, job in ages.items():
        Job.objects.filter(pk=job.pk).update(finished_at=now - timedelta(minutes=minutes))
    assert studio.ended_since(workspace, now - timedelta(minutes=5)) == [ages[3], ages[1]]


def test_system_styles_come_before_the_workspaces_own() -> None:
    workspace = make_workspace()
    system = list(Style.objects.filter(workspace=None).order_by("position", "name"))
    own = Style.objects.create(workspace=workspace, name="A look", prompt="sepia")
    Style.objects.create(workspace=workspace, name="Old", prompt="sepia", archived_at=timezone.now())
    Style.objects.create(workspace=make_workspace(name="Rivals"), name="Theirs", prompt="sepia")
    assert studio.styles(workspace) == [*system, own]


def test_the_ledger_pages_back_without_gaps() -> None:
    workspace = make_workspace(balance=0)
    for _ in range(ledger.PAGE + 10):
        credits.grant(workspace=workspace, amount=1, actor=None)
    filter = ledger.Filter(workspace)
    newest = ledger.lines(filter)[: ledger.PAGE]
    oldest = ledger.lines(filter, before=newest[-1].pk)
    seen = [entry.pk for entry in newest + oldest]
    assert (len(newest), len(oldest)) == (ledger.PAGE, 10)
    assert seen == list(LedgerEntry.objects.order_by("-id").values_list("id", flat=True))


def test_workspaces_come_in_the_order_they_were_joined() -> None:
    user = UserFactory.create()
    first, second = make_workspace(name="Z", owner=user), make_workspace(name="A", owner=user)
    make_workspace(name="Rivals")
    assert members.workspaces_of(user) == [first, second]


def test_a_results_version_keeps_its_job() -> None:
    workspace = make_workspace()
    result = add_completed(workspace, add_image(workspace), version=2, user=workspace.members.get())
    images = studio.versions(version.id for version in studio.edit_tree(result)).values()
    assert sorted((image.label, image.kind) for image in images) == [
        ("Original", Image.Kind.SOURCE),
        ("v2", Image.Kind.RESULT),
    ]
