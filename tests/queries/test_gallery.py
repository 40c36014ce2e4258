"""The edits that a filter finds, their order, and paging."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from editor.models import Image, Job, Star, Status, User, Workspace
from editor.queries import gallery, search
from editor.queries.gallery import Filter, Position
from tests.factories import make_member, make_workspace
from tests.web.rows import add_image, add_job, add_result


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_workspace()


@pytest.fixture
def viewer(workspace: Workspace) -> User:
    return workspace.members.get()


def found(workspace: Workspace, viewer: User, **fields: Any) -> list[Image]:
    return list(gallery.images(workspace, viewer, Filter(**fields)))


def age(row: Image | Job, **by: int) -> None:
    type(row).objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(**by))


@given(st.integers(min_value=0, max_value=10**16 - 1), st.uuids())
def test_a_position_survives_a_round_trip_through_a_url(microseconds: int, id: uuid.UUID) -> None:
    position = Position(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds), id)
    assert Position.parse(str(position)) == position


@given(st.text())
def test_an_invalid_position_is_none(text: str) -> None:
    assert Position.parse(text) is None


@pytest.mark.parametrize(
    "text", [f"{'9' * 17}.{'0' * 32}", f"1.{'0' * 31}", f"-1.{'0' * 32}", f"1.{'0' * 33}"]
)
def test_an_almost_valid_position_is_none(text: str) -> None:
    assert Position.parse(text) is None


def test_only_results_are_found_newest_first(workspace: Workspace, viewer: User) -> None:
    results = [add_result(workspace) for _ in range(3)]
    add_image(workspace)
    add_result(workspace)
    Image.objects.filter(pk=add_result(workspace).pk).update(trashed_at=timezone.now())
    other = add_result(make_workspace(name="Rivals"))
    rows = found(workspace, viewer)
    assert rows[1:] == results[::-1]
    assert other not in rows


@pytest.mark.parametrize(
    ("words", "finds"),
    [
        (("warm",), True),
        (("WARMER",), True),
        (("make", "warm"), True),
        (("warm", "make"), True),
        (("armer",), False),
        (("warmer", "colder"), False),
        (("grün",), True),
        (("pop", "art"), True),
        (("foo_bar",), False),
        (("pop-art",), True),
        (("art-pop",), False),
    ],
)
def test_each_word_must_start_a_word_of_the_prompt(
    workspace: Workspace, viewer: User, words: tuple[str, ...], finds: bool
) -> None:
    result = add_result(workspace, prompt="Make it warmer, grünlich, as pop-art")
    add_result(workspace, prompt="sepia")
    assert found(workspace, viewer, words=words) == ([result] if finds else [])


def test_frequent_words_are_found_in_the_same_order(
    workspace: Workspace, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = [add_result(workspace) for _ in range(4)]
    add_result(workspace, prompt="sepia")
    add_result(make_workspace(name="Rivals"))
    few = found(workspace, viewer, words=("warm",))
    monkeypatch.setattr(search, "MANY", 2)
    assert found(workspace, viewer, words=("warm",)) == few == results[::-1]
    monkeypatch.setattr(search, "DENSE", 2)
    assert found(workspace, viewer, words=("warm",)) == few


def test_user_model_and_period_filter_the_list(workspace: Workspace, viewer: User) -> None:
    other = make_member(workspace)
    own, theirs = (
        add_result(workspace),
        add_result(workspace, user=other, model="black-forest-labs/flux-2-pro"),
    )
    assert found(workspace, viewer, by=other.pk) == [theirs]
    assert found(workspace, viewer, model="black-forest-labs/flux-2-pro") == [theirs]
    age(own, days=8)
    assert found(workspace, viewer, days=7) == [theirs]
    assert found(workspace, viewer, days=30) == [theirs, own]


def test_stars_are_per_user(workspace: Workspace, viewer: User) -> None:
    mine, theirs = add_result(workspace), add_result(workspace)
    Star.objects.create(user=viewer, image=mine)
    Star.objects.create(user=make_member(workspace), image=theirs)
    assert found(workspace, viewer, starred=True) == [mine]
    assert gallery.starred(viewer, [mine, theirs]) == {mine.pk}


@pytest.mark.parametrize(
    ("status", "lists"),
    [
        ("running", {Status.PENDING, Status.PROCESSING}),
        ("failed", {Status.FAILED}),
        ("canceled", {Status.CANCELED}),
    ],
)
def test_edits_without_a_result_are_listed_by_their_state(
    workspace: Workspace, status: str, lists: set[Status]
) -> None:
    for one in Status:
        add_job(workspace, status=one)
        add_job(workspace, status=one, prompt="sepia")
    add_job(make_workspace(name="Rivals"), status=Status.FAILED)
    rows = gallery.jobs(workspace, Filter(status=status, words=("warm",)))
    assert {(job.status, job.prompt) for job in rows} == {(one, "make it warmer") for one in lists}


def test_pages_have_no_gaps_even_if_times_are_equal(workspace: Workspace, viewer: User) -> None:
    results = [add_result(workspace) for _ in range(7)]
    Image.objects.filter(pk__in=[result.pk for result in results[:5]]).update(created_at=timezone.now())
    rows = gallery.images(workspace, viewer, Filter())
    everything, paged, place = list(rows), list(rows[:2]), None
    while True:
        place = Position(paged[-1].created_at, paged[-1].pk)
        page = list(gallery.older(rows, place)[:2])
        if not page:
            break
        paged += page
    assert paged == everything
    assert len(paged) == 7
    middle = Position(everything[3].created_at, everything[3].pk)
    assert list(gallery.newer(rows, middle)) == everything[:3]
    assert gallery.neighbours(rows, middle) == (everything[2], everything[4])


def test_at_the_ends_there_is_no_neighbour(workspace: Workspace, viewer: User) -> None:
    only = add_result(workspace)
    rows = gallery.images(workspace, viewer, Filter())
    assert gallery.neighbours(rows, Position(only.created_at, only.pk)) == (None, None)


def test_counting_stops_at_the_limit(workspace: Workspace, viewer: User) -> None:
    for _ in range(4):
        add_result(workspace)
    rows = gallery.images(workspace, viewer, Filter())
    assert gallery.count(rows, limit=10) == 4
    assert gallery.count(rows, limit=2) == 3


def plan(rows: Any) -> str:
    """The query plan with sequential scans disabled."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return str(rows.explain())


def test_a_page_is_read_from_the_gallerys_index(workspace: Workspace, viewer: User) -> None:
    rows = gallery.images(workspace, viewer, Filter())
    place = Position(timezone.now(), uuid.uuid4())
    assert "image_gallery" in plan(gallery.older(rows, place)[: gallery.PAGE])


def test_the_trash_is_paged_by_the_time_of_trashing(workspace: Workspace) -> None:
    images = [add_image(workspace) for _ in range(gallery.PAGE + 2)]
    Image.objects.filter(workspace=workspace).update(trashed_at=timezone.now())
    gone = add_image(workspace, trashed_at=timezone.now(), purged_at=timezone.now())
    first = gallery.trash(workspace, None)
    assert len(first) == gallery.PAGE + 1
    last = first[gallery.PAGE - 1]
    assert last.trashed_at is not None
    rest = gallery.trash(workspace, Position(last.trashed_at, last.pk))
    assert {image.pk for image in first + rest} == {image.pk for image in images}
    assert gone not in first + rest
