"""Members and invitations in the public API, in this process."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from editor.access.actor import Actor
from editor.access.scopes import EVERYTHING, MANAGE
from editor.api.profile import PATH, PROFILE
from editor.concurrency.threads import in_thread
from editor.gateway.handler import ProgramHandler
from editor.gateway.middleware import GatewayMiddleware
from editor.models import Invitation, Membership, Role
from editor.operations import api_keys
from tests.factories import make_actor, make_member, make_workspace


@pytest.fixture
def owner(committed: None) -> Actor:
    return make_actor()


def client_of(key: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=GatewayMiddleware(ProgramHandler(), PROFILE))
    headers = {"authorization": f"Bearer {key}"}
    return httpx.AsyncClient(transport=transport, base_url=f"http://localhost{PATH}", headers=headers)


async def key_of(actor: Actor, *scopes: str) -> str:
    return (await in_thread(api_keys.create, actor=actor, name="script", scopes=scopes or [MANAGE]))[1]


async def call(client: httpx.AsyncClient, method: str, path: str, status: int, **body: Any) -> Any:
    response = await client.request(method, path, json=body or None)
    assert response.status_code == status, response.text
    return response.json()


async def test_a_script_runs_a_team(owner: Actor) -> None:
    mei = await in_thread(make_member, owner.workspace)
    async with client_of(await key_of(owner)) as client:
        listed = await call(client, "GET", "members", 200)
        assert [one["role"] for one in listed["data"]] == ["owner", "editor"]
        assert listed["pagination"] == {"page": 1, "per_page": 50, "has_more": False}
        first = await call(client, "GET", "members?per_page=1", 200)
        assert first["pagination"]["has_more"] is True
        path = f"members/{mei.pk}"
        changed = await call(client, "PATCH", path, 200, role="viewer", monthly_cap=7)
        assert (changed["data"]["role"], changed["data"]["monthly_cap"]) == ("viewer", 7)
        changed = await call(client, "PATCH", path, 200, daily_cap=3)
        assert (changed["data"]["monthly_cap"], changed["data"]["daily_cap"]) == (7, 3)
        await call(client, "PATCH", path, 200, daily_cap="none")
        changed = await call(client, "PATCH", path, 200, monthly_cap="none")
        assert (changed["data"]["role"], changed["data"]["monthly_cap"]) == ("viewer", None)
        await call(client, "DELETE", path, 200)
        await call(client, "DELETE", path, 404)
        own = await call(client, "PATCH", f"members/{owner.user.pk}", 403, role="viewer")
        assert (own["success"], own["code"]) == (False, "permission_denied")


async def test_invitations_are_made_sent_again_and_revoked(owner: Actor) -> None:
    async with client_of(await key_of(owner)) as client:
        made = await call(
            client, "POST", "invitations", 201, emails=["a@acme.test", "nobody"], role="viewer", monthly_cap=9
        )
        [one] = made["data"]
        assert made["refused"] == [{"email": "nobody", "error": "is not an email address."}]
        assert (one["state"], one["role"], one["monthly_cap"]) == ("open", "viewer", 9)
        assert one["url"].startswith("http://localhost/invitations/")
        path = f"invitations/{one['invitation_id']}"
        again = await call(client, "POST", f"{path}/send", 429)
        assert again["code"] == "too_many"
        assert len((await call(client, "GET", "invitations", 200))["data"]) == 1
        for _ in range(2):
            revoked = await call(client, "DELETE", path, 200)
            assert (revoked["data"]["state"], revoked["data"]["url"]) == ("revoked", None)
        await call(client, "POST", f"{path}/send", 409)
        assert (await call(client, "GET", "invitations", 200))["data"] == []
        await call(client, "POST", "invitations", 400, emails=["nobody"])


async def test_an_added_person_is_invited_whether_or_not_there_is_an_account(owner: Actor) -> None:
    stranger = await in_thread(lambda: make_workspace(name="Rivals").members.get())
    async with client_of(await key_of(owner)) as client:
        seen = []
        for email in (stranger.email, "nobody@acme.test"):
            added = await call(client, "POST", "members", 201, email=email)
            seen.append({name: type(value) for name, value in added["data"].items()})
            await call(client, "POST", "members", 409, email=email)
        assert seen[0] == seen[1]
        await call(client, "POST", "members", 409, email=owner.user.email)
    assert await in_thread(Membership.objects.filter(workspace=owner.workspace).count) == 1


@pytest.mark.parametrize(
    ("role", "scope", "status"),
    [(Role.OWNER, EVERYTHING, 403), (Role.EDITOR, EVERYTHING, 403), (Role.ADMIN, MANAGE, 200)],
    ids=str,
)
async def test_the_scope_and_the_role_are_needed(owner: Actor, role: Role, scope: str, status: int) -> None:
    actor = owner
    if role != Role.OWNER:
        user = await in_thread(make_member, owner.workspace, role=role)
        actor = await in_thread(make_actor, owner.workspace, user=user)
    async with client_of(await key_of(actor, scope)) as client:
        await call(client, "GET", "members", status)
        await call(client, "GET", "invitations", status)


async def test_people_of_other_workspaces_are_not_found(owner: Actor) -> None:
    def rows() -> tuple[Any, Any]:
        other = make_actor(name="Rivals")
        fields = {"email": "x@y.test", "nonce": "n", "expires_at": other.membership.created_at}
        return other.user.pk, Invitation.objects.create(workspace=other.workspace, **fields).pk

    user_id, invitation_id = await in_thread(rows)
    async with client_of(await key_of(owner)) as client:
        await call(client, "PATCH", f"members/{user_id}", 404, role="viewer")
        await call(client, "DELETE", f"members/{user_id}", 404)
        await call(client, "DELETE", f"invitations/{invitation_id}", 404)
        await call(client, "POST", f"invitations/{invitation_id}/send", 404)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "members", {}),
        ("POST", "members", {"email": "a@acme.test", "role": "owner"}),
        ("POST", "members", {"email": "a@acme.test", "monthly_cap": -1}),
        ("POST", "members", {"email": "a@acme.test", "monthly_cap": "many"}),
        ("POST", "invitations", {"emails": []}),
        ("POST", "invitations", {"emails": "a@acme.test"}),
        ("GET", "members?page=0", {}),
    ],
    ids=str,
)
async def test_invalid_requests_are_refused(
    owner: Actor, method: str, path: str, body: dict[str, Any]
) -> None:
    async with client_of(await key_of(owner)) as client:
        refused = await call(client, method, path, 400, **body)
    assert (refused["success"], refused["code"]) == (False, "invalid_input")
    assert not await in_thread(Invitation.objects.exists)


async def test_a_key_of_the_workspace_invites_editors_and_cannot_edit(owner: Actor) -> None:
    _, key = await in_thread(api_keys.create, actor=owner, name="HR", scopes=[MANAGE], of_workspace=True)
    async with client_of(key) as client:
        added = await call(client, "POST", "members", 201, email="sofia@acme.test")
        assert (added["data"]["role"], added["data"]["access_image_editor"]) == ("editor", True)
        await call(client, "POST", "process", 403, prompt="A cat", model_tier="standard")


@pytest.mark.parametrize("path", ["members?q=%00", "invitations?q=%00"])
async def test_words_that_the_database_cannot_hold_are_refused(owner: Actor, path: str) -> None:
    async with client_of(await key_of(owner)) as client:
        refused = await call(client, "GET", path, 400)
        assert (refused["success"], refused["code"]) == (False, "invalid_input")


@pytest.mark.parametrize(
    ("method", "path", "field", "value"),
    [
        ("POST", "members", "email", "nobody"),
        ("POST", "members", "email", "   "),
        ("PATCH", "members/{own}", "monthly_cap", "lots"),
        ("PATCH", "members/{own}", "monthly_cap", True),
        ("PATCH", "members/{own}", "monthly_cap", -1),
    ],
)
async def test_a_wrong_value_is_named_by_its_field(
    owner: Actor, method: str, path: str, field: str, value: Any
) -> None:
    async with client_of(await key_of(owner)) as client:
        refused = await call(client, method, path.format(own=owner.user.pk), 400, **{field: value})
        assert (refused["code"], list(refused["fields"])) == ("invalid_input", [field])
