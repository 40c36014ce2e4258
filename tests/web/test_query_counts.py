"""Pages and pushes make as many queries for sixty rows as for one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.contexts import jobs
from editor.models import (
    ApiKey,
    Approval,
    Image,
    Membership,
    ProviderKey,
    Role,
    ShareLink,
    Status,
    User,
    Workspace,
)
from editor.sockets.workspace import WorkspaceConsumer
from tests.factories import make_actor, make_member, make_workspace
from tests.web.requests import HTMX, signed_in
from tests.web.rows import add_job, fill

pytestmark = pytest.mark.django_db

FEW, MANY = 1, 60


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(balance=1000)


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def assert_constant(workspace: Workspace, work: Callable[[Image], Any]) -> None:
    """`work` gets the image with all the versions; it runs once before counting, to fill caches."""
    source = fill(workspace, rows=FEW)
    work(source)
    with CaptureQueriesContext(connection) as few:
        work(source)
    many_source = fill(workspace, rows=MANY)
    with CaptureQueriesContext(connection) as many:
        work(many_source)
    assert len(few) > 0
    assert len(many) == len(few), "\n".join(query["sql"][:200] for query in many.captured_queries)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize(
    "name",
    ["studio", "studio_version", "rail", "inputs", "credits", "general", "workspace_delete", "setup"],
)
def test_reading(workspace: Workspace, client: Client, name: str, headers: dict[str, str]) -> None:
    def read(source: Image) -> None:
        parts = [source.id] if name == "studio_version" else []
        data = {"at": str(source.id)} if name == "rail" else {}
        response = client.get(reverse(name, args=[workspace.slug, *parts]), data, headers=headers)
        assert response.status_code == 200

    assert_constant(workspace, read)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_comparing_two_versions(workspace: Workspace, client: Client, headers: dict[str, str]) -> None:
    def read(source: Image) -> None:
        result = source.children.latest("version")
        url = reverse("studio_version", args=[workspace.slug, result.id])
        assert client.get(url, {"with": str(source.id)}, headers=headers).status_code == 200

    assert_constant(workspace, read)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
@pytest.mark.parametrize("query", [{}, {"q": "warm", "since": "7"}, {"status": "running"}], ids=str)
def test_the_gallery(
    workspace: Workspace, client: Client, query: dict[str, str], headers: dict[str, str]
) -> None:
    def read(source: Image) -> None:
        url = reverse("gallery", args=[workspace.slug])
        assert "shot" in client.get(url, query, headers=headers).content.decode()

    assert_constant(workspace, read)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_the_lightbox(workspace: Workspace, client: Client, headers: dict[str, str]) -> None:
    def read(source: Image) -> None:
        result = source.children.earliest("version")
        url = reverse("gallery_image", args=[workspace.slug, result.id])
        assert client.get(url, {"q": "warm"}, headers=headers).status_code == 200

    assert_constant(workspace, read)


def test_the_trash(workspace: Workspace, client: Client) -> None:
    def read(source: Image) -> None:
        Image.objects.filter(parent=source).update(trashed_at=timezone.now())
        assert client.get(reverse("trash", args=[workspace.slug])).status_code == 200

    assert_constant(workspace, read)


def test_the_share_dialog(workspace: Workspace, client: Client) -> None:
    def read(source: Image) -> None:
        ends = timezone.now() + timedelta(days=1)
        ShareLink.objects.bulk_create(
            ShareLink(image=source, token_hash=uuid.uuid4().hex, expires_at=ends)
            for _ in source.children.all()
        )
        assert client.get(reverse("shares", args=[workspace.slug, source.id])).status_code == 200

    assert_constant(workspace, read)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_the_providers(workspace: Workspace, client: Client, headers: dict[str, str]) -> None:
    """However many keys there are: own keys are limited by the installed providers, others' are not."""

    def read(source: Image) -> None:
        ProviderKey.objects.bulk_create(
            (
                ProviderKey(workspace=workspace, provider=name, secret=b"", last_four=name)
                for name in ("bfl", "fal", "wiro")[: source.children.count()]
            ),
            ignore_conflicts=True,
        )
        page = client.get(reverse("provider_keys", args=[workspace.slug]), headers=headers)
        assert page.status_code == 200

    assert_constant(workspace, read)


@pytest.mark.parametrize("role", [Role.OWNER, Role.EDITOR])
def test_the_api_keys(workspace: Workspace, role: Role) -> None:
    """The user's own and others' keys: live, rotated and revoked."""
    user = make_member(workspace, role=role)
    client = signed_in(user)

    def read(source: Image) -> None:
        keys: list[ApiKey] = []
        for number, image in enumerate(source.children.select_related("created_by")):
            keys.append(
                ApiKey(
                    workspace=workspace,
                    created_by=image.created_by if number % 2 else user,
                    name="n8n",
                    public_id=uuid.uuid4().hex[:8],
                    secret_hash=uuid.uuid4().hex,
                    replaces=keys[-1] if number % 3 else None,
                    revoked_at=timezone.now() if number % 5 == 1 else None,
                )
            )
        ApiKey.objects.bulk_create(keys)
        page = client.get(reverse("api_keys", args=[workspace.slug]))
        assert "n8n" in page.content.decode()

    assert_constant(workspace, read)


@pytest.mark.parametrize("show", ["", "decided"])
def test_the_approvals(workspace: Workspace, client: Client, show: str) -> None:
    counts = []
    for rows in (FEW, FEW, MANY):
        for result in fill(workspace, rows=rows).children.select_related("created_by"):
            add_approval(result, decided=bool(show))
        with CaptureQueriesContext(connection) as queries:
            page = client.get(reverse("approvals", args=[workspace.slug]), {"show": show})
        assert "Monthly cap: 4 of 4 spent" in page.content.decode()
        counts.append(len(queries))
    assert counts[1] == counts[2] > 0


def add_approval(result: Image, *, decided: bool) -> None:
    person, workspace = result.created_by, result.workspace
    answer = {"state": "declined", "decided_at": timezone.now(), "decided_by": person} if decided else {}
    Membership.objects.get_or_create(workspace=workspace, user=person, defaults={"monthly_cap": 4})
    Approval.objects.create(
        job=add_job(workspace, parent=result, created_by=person, status=Status.WAITING),
        workspace=workspace,
        limit="member_month",
        allowed=4,
        used=4,
        price=4,
        expires_at=timezone.now(),
        **answer,
    )


@pytest.mark.parametrize(("name", "status"), [("quote", 200), ("run", 202)])
def test_posting(workspace: Workspace, client: Client, name: str, status: int) -> None:
    def post(source: Image) -> None:
        fields = {"prompt": "make it warmer", "tier": "standard", "images": str(source.id)}
        response = client.post(reverse(name, args=[workspace.slug]), fields, headers=HTMX)
        assert response.status_code == status

    assert_constant(workspace, post)


def test_pushing_a_change(workspace: Workspace) -> None:
    actor = make_actor(workspace)

    def push(source: Image) -> None:
        edit = source.edits.first()
        assert edit is not None
        text = WorkspaceConsumer()._render_change(actor, str(edit.id), True)
        assert "Edit" in text

    assert_constant(workspace, push)


def test_pushing_the_snapshot(workspace: Workspace) -> None:
    actor = make_actor(workspace)

    def push(source: Image) -> None:
        since = timezone.now() - timedelta(minutes=1)
        assert jobs.snapshot(workspace, viewer=actor.user, since=since)["finished"]
        assert WorkspaceConsumer()._render_snapshot(actor, since)

    assert_constant(workspace, push)


@pytest.mark.parametrize("model", sorted(admin.site._registry, key=str), ids=lambda model: model.__name__)
def test_admin_lists(workspace: Workspace, model: Any) -> None:
    operator = get_user_model().objects.create_superuser("operator@example.test")
    assert isinstance(operator, User)
    client = signed_in(operator)
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")

    def read(source: Image) -> None:
        assert client.get(url).status_code == 200

    assert_constant(workspace, read)


def test_the_admin_page_of_a_job(workspace: Workspace) -> None:
    client = signed_in(User.objects.create_superuser("operator@example.test"))

    def read(source: Image) -> None:
        edit = source.edits.first()
        assert edit is not None
        assert client.get(reverse("admin:editor_job_change", args=[edit.id])).status_code == 200

    assert_constant(workspace, read)
