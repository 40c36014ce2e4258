"""Subject and text of mails."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from editor.access import proofs
from editor.models import User
from editor.operations.mails import Kind


def build(*, kind: Kind, email: str, origin: str) -> EmailMessage:
    """The mail for this address; its text depends on whether it has an account now."""
    user = User.objects.filter(email=email, is_active=True).first()
    link = {Kind.RESET: _reset_link, Kind.SIGN_UP: _sign_up_link}[kind](user, email)
    context = {
        "site_name": settings.SITE_NAME,
        "email": email,
        "account": user is not None,
        "signup_open": people.may_sign_up(email),
        "origin": origin,
        "link": f"{origin}{link}",
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


def _sign_up_link(user: User | None, email: str) -> str:
    return reverse("account_login") if user else reverse("sign_up_finish", args=[proofs.of_address(email)])
