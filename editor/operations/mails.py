"""Mails: those that anyone may request on a page, and those about something that happened.

They are only enqueued here; the worker writes and sends them. For the first kind, neither the page's
response nor its timing reveals whether there is an account: the worker looks that up.
"""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings

from editor.models.users import SERVICE_DOMAIN
from editor.operations import queue


class Kind(StrEnum):
    RESET = "reset"
    SIGN_UP = "sign_up"
    CONFIRM = "confirm"
    INVITED = "invited"
    JOINED = "joined"
    REMOVED = "removed"
    ROLE_CHANGED = "role_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    EMAIL_CHANGED = "email_changed"
    FACTOR_CHANGED = "factor_changed"
    NEW_SIGN_IN = "new_sign_in"
    KEY_EXPIRING = "key_expiring"


SAMPLE = "sample"  # in the details: the mail has invented values


def ask(*, kind: Kind, email: str, origin: str, **details: str) -> None:
    """Enqueue a requested mail. `origin`: scheme and host of the links in it.

    details  what its writer needs to know; never a secret, as the queue stores them
    """
    if _is_of_service_account(email):
        return
    queue.enqueue_mail(kind=kind, email=email.strip().lower(), origin=origin, details=details)


def notify(*, kind: Kind, email: str, origin: str = "", **details: str) -> None:
    """Enqueue a mail about something that happened, within the caller's transaction.

    origin   scheme and host of the links in it where BASE_URL is not set; "": the mail has no links
    details  what its template shows: names and ids, never a secret, as the queue stores them

    Does nothing without a mail server.
    """
    if settings.SENDS_MAIL and not _is_of_service_account(email):
        origin = settings.BASE_URL or origin
        queue.enqueue_mail(kind=kind, email=email, origin=origin, details=details)


def send_sample(*, kind: Kind, email: str, origin: str) -> None:
    """Enqueue a mail with invented values, for an operator who tests the mail server."""
    notify(kind=kind, email=email, origin=origin, **{SAMPLE: "yes"})


def _is_of_service_account(email: str) -> bool:
    return email.strip().lower().endswith(f"@{SERVICE_DOMAIN}")
