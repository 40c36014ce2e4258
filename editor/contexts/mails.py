"""Subject and text of mails."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from editor.access import proofs
from editor.models import User
from editor.operations import people
from editor.operations.mails import Kind


def build(
    *, kind: Kind, email: str, origin: str, details: Mapping[str, str] = MappingProxyType({})
) -> EmailMessage:
    """The mail for this address; its text depends on whether it has an account now."""
    user = User.objects.filter(email=email, is_active=True).first()
    links = {Kind.RESET: _reset_link, Kind.SIGN_UP: _sign_up_link}
    link = links[kind](user, email) if kind in links else ""
    if kind == Kind.CONFIRM:
        link = _confirm_link(details["user_id"], user, email)
    context = {
        "site_name": settings.SITE_NAME,
        "email": email,
        "account": user is not None,
        "signup_open": people.may_sign_up(email),
        "origin": origin,
        "link": f"{origin}{link}" if link else "",
        "details": details,
    }
    subject, _, text = render_to_string(f"mail/{kind}.txt", context).strip().partition("\n")
    return EmailMessage(subject=subject, body=text.strip() + "\n", to=[email])


def _reset_link(user: User | None, email: str) -> str:
    """Path of the page to choose a new password; of sign-up for an address without an account."""
    if user is None:
        return reverse("account_signup")
    token = default_token_generator.make_token(user)
    # allauth writes UUIDs in hex.
    return reverse("account_reset_password_from_key", kwargs={"uidb36": user.pk.hex, "key": token})


def _confirm_link(user_id: str, user: User | None, email: str) -> str:
    """ "" if the address belongs to another account."""
    if user and str(user.pk) != user_id:
        return ""
    asking = User.objects.get(pk=user_id)
    return reverse("account_confirm_email", args=[proofs.of_email(asking, email)])


def _sign_up_link(user: User | None, email: str) -> str:
    return reverse("account_login") if user else reverse("sign_up_finish", args=[proofs.of_address(email)])
