"""Subject, text and HTML of mails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import make_msgid, parseaddr
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from editor.access import invitation_links, proofs
from editor.contexts.money import money
from editor.models import ApiKey, Invitation, Role, User, Workspace
from editor.operations import people
from editor.operations.mails import SAMPLE, Kind
from editor.queries import approvals

# What the link in a mail is called in its HTML.
LABELS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.RESET: "Choose a new password",
        Kind.SIGN_UP: "Continue",
        Kind.CONFIRM: "Confirm the address",
        Kind.INVITED: "Open the invitation",
        Kind.JOINED: "Open the workspace",
        Kind.ROLE_CHANGED: "Open the portal",
        Kind.PASSWORD_CHANGED: "Reset the password",
        Kind.FACTOR_CHANGED: "Change the password",
        Kind.NEW_SIGN_IN: "Change the password",
        Kind.KEY_EXPIRING: "Open the API keys",
        Kind.USAGE: "Open Credits & usage",
        Kind.CREDITS_LOW: "Open the credits",
        Kind.BUDGET_REACHED: "Open the credits",
        Kind.APPROVAL_REQUESTED: "Open the approvals",
        Kind.APPROVAL_ANSWERED: "Open the Studio",
    }
)
# These are about an account, and not sent when there is none with the address any more.
NEED_ACCOUNT = frozenset(
    {
        Kind.JOINED,
        Kind.REMOVED,
        Kind.ROLE_CHANGED,
        Kind.PASSWORD_CHANGED,
        Kind.FACTOR_CHANGED,
        Kind.NEW_SIGN_IN,
        Kind.KEY_EXPIRING,
        Kind.USAGE,
        Kind.CREDITS_LOW,
        Kind.BUDGET_REACHED,
        Kind.APPROVAL_REQUESTED,
        Kind.APPROVAL_ANSWERED,
    }
)
LISTS = frozenset({"people", "models"})  # details whose lines stay

Details = Mapping[str, str]


class EndedError(Exception):
    """What the mail is about has ended in the meantime, so it is not sent."""


def build(
    *, kind: Kind, email: str, origin: str, details: Details = MappingProxyType({})
) -> EmailMultiAlternatives | None:
    """The mail for this address; its text depends on whether it has an account now.

    None if what it is about has ended: the invitation was revoked, the account deleted.
    """
    if SAMPLE in details:
        return sample(kind=kind, email=email, origin=origin)
    user = User.objects.filter(email=email, is_active=True).first()
    if kind in NEED_ACCOUNT and user is None:
        return None
    try:
        link = _LINKS.get(kind, _no_link)(user, email, details)
    except EndedError:
        return None
    return _message(kind, email, origin, f"{origin}{link}" if link and origin else "", user, details)


def sample(*, kind: Kind, email: str, origin: str) -> EmailMultiAlternatives:
    """The mail with invented values, and a link that leads nowhere."""
    user = User(email=email, time_zone="")
    return _message(kind, email, origin, f"{origin}/example/", user, _SAMPLES.get(kind, {}))


def _message(
    kind: Kind, email: str, origin: str, link: str, user: User | None, details: Details
) -> EmailMultiAlternatives:
    context = {
        "site_name": settings.SITE_NAME,
        "email": email,
        "account": user is not None,
        "signup_open": people.may_sign_up(email),
        "origin": origin,
        "link": link,
        "details": _shown(details, user),
    }
    rendered = render_to_string(f"mail/{kind}.txt", context).strip()
    subject, _, text = rendered.partition("\n")
    message = EmailMultiAlternatives(subject, text.strip() + "\n", to=[email], headers=_headers())
    html = _html(subject, text, context | {"label": LABELS.get(kind, "Open")})
    message.attach_alternative(html, "text/html")
    return message


def _html(subject: str, text: str, context: Mapping[str, Any]) -> str:
    """The same text in the layout of all mails; the paragraph with the link becomes a button."""
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    return render_to_string("mail/layout.html", {**context, "subject": subject, "paragraphs": paragraphs})


def _headers() -> dict[str, str]:
    """No automatic replies. By default, the id would contain the name of the machine."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return {"Message-ID": make_msgid(domain=domain or "localhost"), "Auto-Submitted": "auto-generated"}


def _shown(details: Details, user: User | None) -> dict[str, str]:
    """The details, each on one line except lists and an invitation's message; times in the person's zone.

    money  of `credits`, where the operator has set a price
    """
    shown = {
        name: _quoted(value) if name == "message" else value if name in LISTS else " ".join(value.split())
        for name, value in details.items()
    }
    if "credits" in shown:
        shown["money"] = money(int(shown["credits"]))
    return shown | {name: _time(shown[name], user) for name in ("at", "ends") if shown.get(name)}


def _quoted(message: str) -> str:
    """As replies quote: the reader sees which words are not the portal's."""
    return "\n".join(f"> {line}".rstrip() for line in message.strip().splitlines())


def _time(text: str, user: User | None) -> str:
    try:
        zone = ZoneInfo((user and user.time_zone) or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = datetime.fromisoformat(text).astimezone(zone)
    return f"{local.day} {local:%B %Y, %H:%M} ({zone.key})"


def _no_link(user: User | None, email: str, details: Details) -> str:
    return ""


def _reset_link(user: User | None, email: str, details: Details) -> str:
    """Path of the page to choose a new password; of sign-up for an address without an account."""
    if user is None:
        return reverse("account_signup")
    token = default_token_generator.make_token(user)
    # allauth writes UUIDs in hex.
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user.pk.hex, "key": token})


def _confirm_link(user: User | None, email: str, details: Details) -> str:
    """ "" if the address belongs to another account."""
    if user and str(user.pk) != details["user_id"]:
        return ""
    asking = User.objects.get(pk=details["user_id"])
    return reverse("account_confirm_email", args=[proofs.of_email(asking, email)])


def _sign_up_link(user: User | None, email: str, details: Details) -> str:
    return reverse("account_login") if user else reverse("sign_up_finish", args=[proofs.of_address(email)])


def _invitation_link(user: User | None, email: str, details: Details) -> str:
    """Raises EndedError for an invitation that is not open any more."""
    rows = Invitation.objects.filter(workspace__deleted_at=None, email__iexact=email)
    invitation = rows.filter(pk=UUID(details["invitation"])).first()
    if invitation is None or not invitation.is_open:
        raise EndedError
    return reverse("invitation", args=[invitation_links.token(invitation, mailed=True)])


def _keys_link(user: User | None, email: str, details: Details) -> str:
    """Raises EndedError for a key that has ended or was replaced."""
    keys = ApiKey.objects.filter(replacement=None, workspace__deleted_at=None).select_related("workspace")
    key = keys.filter(pk=UUID(details["key"])).first()
    if key is None or not key.is_live:
        raise EndedError
    return reverse("api_keys", args=[key.workspace.slug])


def _approvals_link(user: User | None, email: str, details: Details) -> str:
    """Raises EndedError if the edit does not wait any more, or the recipient may not decide."""
    workspace = Workspace.objects.filter(slug=details["slug"], deleted_at=None).first()
    waits = workspace and approvals.waiting(workspace).filter(pk=UUID(details["job"])).exists()
    if workspace is None or not waits or user not in approvals.deciders(workspace, but=None):
        raise EndedError
    return reverse("approvals", args=[details["slug"]])


def _workspace_link(user: User | None, email: str, details: Details, *, page: str = "studio") -> str:
    """Raises EndedError if the recipient is not a member of the workspace any more."""
    if "slug" not in details:
        return reverse("home")
    if user is None or not user.memberships.filter(workspace__slug=details["slug"]).exists():
        raise EndedError
    return reverse(page, args=[details["slug"]])


def _credits_link(user: User | None, email: str, details: Details) -> str:
    return _workspace_link(user, email, details, page="credits")


def _usage_link(user: User | None, email: str, details: Details) -> str:
    """The month's chart. Raises EndedError if the recipient is not an owner of the workspace any more."""
    owned = user and user.memberships.filter(role=Role.OWNER, workspace__deleted_at=None)
    if not owned or not owned.filter(workspace__slug=details["slug"]).exists():
        raise EndedError
    return f"{reverse('credits', args=[details['slug']])}?month={details['from']}"


def _password_link(user: User | None, email: str, details: Details) -> str:
    return reverse("account_change_password")


def _lost_password_link(user: User | None, email: str, details: Details) -> str:
    return reverse("account_reset_password")


_LINKS: Mapping[Kind, Callable[[User | None, str, Details], str]] = MappingProxyType(
    {
        Kind.RESET: _reset_link,
        Kind.SIGN_UP: _sign_up_link,
        Kind.CONFIRM: _confirm_link,
        Kind.INVITED: _invitation_link,
        Kind.JOINED: _workspace_link,
        Kind.ROLE_CHANGED: _workspace_link,
        Kind.PASSWORD_CHANGED: _lost_password_link,
        Kind.FACTOR_CHANGED: _password_link,
        Kind.NEW_SIGN_IN: _password_link,
        Kind.KEY_EXPIRING: _keys_link,
        Kind.USAGE: _usage_link,
        Kind.CREDITS_LOW: _credits_link,
        Kind.BUDGET_REACHED: _credits_link,
        Kind.APPROVAL_REQUESTED: _approvals_link,
        Kind.APPROVAL_ANSWERED: _workspace_link,
    }
)

_APPROVAL = {
    "workspace": "Acme Studio",
    "who": "Luis Ortega",
    "prompt": "Replace the sky with a warm dawn",
    "price": "20 credits",
    "message": "The client wants to see it tonight.",
}
_SAMPLES: Mapping[Kind, Details] = MappingProxyType(
    {
        Kind.INVITED: {
            "workspace": "Acme Studio",
            "by": "Amara Okafor",
            "role": "Editor",
            "message": "We edit the autumn catalogue here.",
        },
        Kind.JOINED: {
            "workspace": "Acme Studio",
            "person": "Jonas Weber",
            "address": "jonas@example.com",
            "role": "Editor",
        },
        Kind.REMOVED: {"workspace": "Acme Studio", "by": "Amara Okafor"},
        Kind.ROLE_CHANGED: {"workspace": "Acme Studio", "by": "Amara Okafor", "role": "Viewer"},
        Kind.FACTOR_CHANGED: {"change": "Passkey added"},
        Kind.NEW_SIGN_IN: {
            "device": "Firefox on Linux",
            "address": "203.0.113.9",
            "at": "2026-11-27T14:02:00+00:00",
        },
        Kind.KEY_EXPIRING: {
            "workspace": "Acme Studio",
            "name": "Website backend",
            "ends": "2026-12-04T09:00:00+00:00",
        },
        Kind.USAGE: {
            "workspace": "Acme Studio",
            "month": "November 2026",
            "credits": "1543",
            "spent": "1,543 credits",
            "edits": "386 edits",
            "failed": "21 edits",
            "returned": "97 credits",
            "people": "Amara Okafor: 810 credits, 201 edits\nJonas Weber: 733 credits, 185 edits",
            "models": "FLUX.1 Kontext [pro]: 1,110 credits, 299 edits\nFLUX.2 [pro]: 433 credits, 87 edits",
        },
        Kind.CREDITS_LOW: {"workspace": "Acme Studio", "balance": "38 credits"},
        Kind.BUDGET_REACHED: {
            "workspace": "Acme Studio",
            "percent": "80",
            "spent": "1,606",
            "budget": "2,000 credits",
            "month": "November 2026",
        },
        Kind.APPROVAL_REQUESTED: _APPROVAL,
        Kind.APPROVAL_ANSWERED: {
            **_APPROVAL,
            "state": "declined",
            "by": "Amara Okafor",
            "reason": "A cheaper model first, please.",
        },
    }
)
