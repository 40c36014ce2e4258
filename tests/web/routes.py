"""Every route of the pages, how to request it, and rows of a workspace for the requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.urls import reverse

from editor.access.actor import Actor
from editor.models import (
    ApiKey,
    Character,
    Image,
    Invitation,
    Job,
    Membership,
    ProviderKey,
    Role,
    ShareLink,
    Style,
    WebhookDelivery,
    WebhookEndpoint,
    Workspace,
)
from editor.operations import api_keys, invitations, shares
from editor.operations.webhooks import deliveries, endpoints
from tests.factories import make_actor, make_workspace
from tests.fake_providers import KEY, save_key
from tests.web.rows import add_image, add_job, add_result

Method = Literal["get", "post"]


@dataclass(frozen=True)
class Rows:
    """One workspace and what belongs to it."""

    workspace: Workspace
    image: Image
    result: Image
    share: ShareLink
    mask: Image
    job: Job
    style: Style
    character: Character
    key: ProviderKey
    api_key: ApiKey
    endpoint: WebhookEndpoint
    delivery: WebhookDelivery
    member: Membership
    invitation: Invitation


def make_rows(name: str) -> Rows:
    workspace = make_workspace(name=name)
    image = add_image(workspace)
    owner = make_actor(workspace)
    url = "https://hooks.example/"
    endpoint, _ = endpoints.create(
        actor=owner, url=url, events=["job.failed"], origin="https://portal.example"
    )
    return Rows(
        workspace=workspace,
        image=image,
        result=add_result(workspace),
        share=shares.create(actor=owner, image=image, days=1)[0],
        mask=add_image(workspace, kind=Image.Kind.MASK),
        job=add_job(workspace, price=0),
        style=Style.objects.create(workspace=workspace, name="Own look", prompt="sepia"),
        character=Character.objects.create(workspace=workspace, name="Ada"),
        key=save_key(owner),
        api_key=api_keys.create(actor=owner, name="n8n")[0],
        endpoint=endpoint,
        delivery=deliveries.test(actor=owner, endpoint=endpoint),
        member=owner.membership,
        invitation=_invite(owner),
    )


def _invite(owner: Actor) -> Invitation:
    email = f"invited@{owner.workspace.slug}.test"
    [invited] = invitations.invite(actor=owner, emails=[email], role=Role.EDITOR)
    assert invited.invitation
    return invited.invitation


@dataclass(frozen=True)
class Route:
    """How to request a workspace's route, whether viewers may use it, and its expected status."""

    method: Method
    looking: bool = True
    parts: Callable[[Rows], list[Any]] = lambda rows: []
    fields: Callable[[Rows], dict[str, Any]] = lambda rows: {}
    status: int = 200

    def url(self, name: str, rows: Rows, slug: str = "") -> str:
        return reverse(name, args=[slug or rows.workspace.slug, *self.parts(rows)])


IN_A_WORKSPACE = {
    "studio": Route("get"),
    "studio_version": Route("get", parts=lambda rows: [rows.image.id]),
    "inputs": Route("get"),
    "rail": Route("get"),
    "rail_fold": Route("post", status=302),
    "audit": Route("get", looking=False),
    "usage_rules": Route("get", looking=False),
    "general_limits": Route("post", looking=False, fields=lambda rows: {"time_zone": "UTC"}, status=302),
    "api_key_caps": Route("post", looking=False, parts=lambda rows: [rows.api_key.id], status=302),
    "audit_csv": Route("get", looking=False),
    "credits": Route("get"),
    "credits_live": Route("get"),
    "credits_csv": Route("get"),
    "usage_csv": Route("get"),
    "credits_proof": Route("post", looking=False),
    "credits_report": Route("post", looking=False),
    "credits_transfer": Route("get", looking=False),
    "quote": Route("post"),
    "upload": Route("post", looking=False),
    "sample": Route("post", looking=False, parts=lambda rows: ["coffee"]),
    "run": Route("post", looking=False),
    "cancel": Route("post", looking=False, parts=lambda rows: [rows.job.id]),
    "again": Route("post", looking=False, parts=lambda rows: [rows.job.id]),
    "approvals": Route("get", looking=False),
    "approve": Route(
        "post", looking=False, parts=lambda rows: [rows.job.id], fields=lambda rows: {"price": 4}
    ),
    "decline": Route(
        "post", looking=False, parts=lambda rows: [rows.job.id], fields=lambda rows: {"reason": "no"}
    ),
    "gallery": Route("get"),
    "gallery_new": Route("get", status=204),
    "gallery_image": Route("get", parts=lambda rows: [rows.result.id]),
    "gallery_edit": Route("get", parts=lambda rows: [rows.job.id]),
    "gallery_zip": Route("get", fields=lambda rows: {"images": rows.result.id}),
    "gallery_star": Route("post", fields=lambda rows: {"images": rows.result.id}, status=302),
    "gallery_trash": Route("post", looking=False, fields=lambda rows: {"images": rows.result.id}),
    "gallery_restore": Route("post", looking=False, fields=lambda rows: {"images": rows.result.id}),
    "trash": Route("get"),
    "trashed_file": Route("get", parts=lambda rows: [rows.image.id], status=404),
    "trash_empty": Route("post", looking=False),
    "shares": Route("get", parts=lambda rows: [rows.image.id]),
    "share_revoke": Route("post", looking=False, parts=lambda rows: [rows.share.id]),
    "setup": Route("get", looking=False),
    "setup_provider": Route(
        "post", looking=False, parts=lambda rows: ["bfl"], fields=lambda rows: {"key": KEY}
    ),
    "setup_team": Route("get", looking=False),
    "setup_finish": Route("post", looking=False),
    "workspace_picture": Route("get", status=404),
    "general": Route("get"),
    "general_name": Route("post", looking=False),
    "general_address": Route("post", looking=False),
    "general_picture": Route("post", looking=False),
    "general_defaults": Route("post", looking=False),
    "general_security": Route("post", looking=False),
    "workspace_export": Route("post", looking=False),
    "workspace_delete": Route("get", looking=False),
    "api_guide": Route("get"),
    "credits_guide": Route("get"),
    "compatible_api_guide": Route("get", parts=lambda rows: ["bfl"]),
    "members": Route("get"),
    "members_live": Route("get"),
    "rights": Route("get", status=204),
    "member_leave": Route("get"),
    "invite": Route("get", looking=False),
    "invite_count": Route("post", looking=False),
    "member_change": Route("post", looking=False, parts=lambda rows: [rows.member.user_id]),
    "member_remove": Route("get", looking=False, parts=lambda rows: [rows.member.user_id]),
    "member_owner": Route("get", looking=False, parts=lambda rows: [rows.member.user_id]),
    "member_second_factor": Route("get", looking=False, parts=lambda rows: [rows.member.user_id]),
    "invitation_again": Route("post", looking=False, parts=lambda rows: [rows.invitation.id]),
    "invitation_revoke": Route("get", looking=False, parts=lambda rows: [rows.invitation.id]),
    "api_keys": Route("get"),
    "api_reference": Route("get"),
    "api_team_reference": Route("get"),
    "api_key_rotate": Route("post", looking=False, parts=lambda rows: [rows.api_key.id]),
    "api_key_revoke": Route("post", looking=False, parts=lambda rows: [rows.api_key.id]),
    "provider_keys": Route("get", looking=False),
    "provider_key_save": Route(
        "post", looking=False, parts=lambda rows: ["bfl"], fields=lambda rows: {"key": KEY}
    ),
    "provider_key_test": Route("post", looking=False, parts=lambda rows: [rows.key.id]),
    "provider_key_enable": Route("post", looking=False, parts=lambda rows: [rows.key.id]),
    "provider_key_remove": Route("post", looking=False, parts=lambda rows: [rows.key.id]),
    "roles": Route("get"),
    "webhooks": Route("get", looking=False),
    "webhook_deliveries": Route("get", looking=False),
    "webhook_low_balance": Route("post", looking=False),
    "webhook_resend": Route("post", looking=False, parts=lambda rows: [rows.delivery.id]),
    "webhook_change": Route("post", looking=False, parts=lambda rows: [rows.endpoint.id]),
    "webhook_secret": Route("post", looking=False, parts=lambda rows: [rows.endpoint.id]),
    "webhook_test": Route("post", looking=False, parts=lambda rows: [rows.endpoint.id]),
    "webhook_remove": Route("post", looking=False, parts=lambda rows: [rows.endpoint.id]),
}
TAKES_BOTH = {
    "shares",
    "api_keys",
    "webhooks",
    "invite",
    "invitation_revoke",
    "member_leave",
    "member_remove",
    "member_owner",
    "member_second_factor",
    "workspace_delete",
    "credits_transfer",
    "usage_rules",
}
# name: method, other arguments; these show nothing of a workspace without more rights than the table tests.
OUTSIDE: dict[str, tuple[Method, list[str]]] = {
    "home": ("get", []),
    "welcome": ("get", []),
    "theme": ("post", []),
    "notices": ("get", []),
    "notices_read": ("post", []),
    "notice": ("get", ["00000000-0000-4000-8000-000000000000"]),
    "workspaces": ("get", []),
    "workspace_new": ("get", []),
    "workspace_restore": ("post", ["acme"]),
    "health": ("get", []),
    "ready": ("get", []),
    "file": ("get", ["token"]),
    "lasting_file": ("get", ["token"]),
    "brief_file": ("get", ["token", "sample.png"]),
    "share": ("get", ["token"]),
    "share_file": ("get", ["token", "full"]),
    "share_before_file": ("get", ["token", "full"]),
    "invitation": ("get", ["token"]),
    "invitation_decline": ("post", ["token"]),
}
