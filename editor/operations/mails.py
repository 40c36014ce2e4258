"""Mails: those that anyone may request on a page, and those about something that happened.

They are only enqueued here; the worker writes and sends them. For the first kind, neither the page's
response nor its timing reveals whether there is an account: the worker looks that up.
"""

from __future__ import annotations

import hashlib
import logging
from enum import StrEnum

from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from editor.access import operators
from editor.errors import LimitExceeded, Unprocessable
from editor.mail_addresses import normalized
from editor.models import User
from editor.models.users import SERVICE_DOMAIN
from editor.operations import audit, queue

log = logging.getLogger("editor.mails")


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
    USAGE = "usage"
    CREDITS_LOW = "credits_low"
    BUDGET_REACHED = "budget_reached"
    APPROVAL_REQUESTED = "approval_requested"
    APPROVAL_ANSWERED = "approval_answered"


# Mails of one kind to one address, and the seconds in which they count: nobody's mailbox can be filled, not
# even by an account that somebody else made with its address.
LIMITS = {Kind.INVITED: (10, 24 * 3600)}
LIMIT = (60, 3600)  # of all other kinds
SAMPLE = "sample"  # in the details: the mail has invented values


def ask(*, kind: Kind, email: str, origin: str, **details: str) -> None:
    """Enqueue a requested mail. `origin`: scheme and host of the links in it.

    details  what its writer needs to know; never a secret, as the queue stores them
    """
    if _is_of_service_account(email):
        return
    queue.enqueue_mail(kind=kind, email=normalized(email), origin=origin, details=details)


def notify(*, kind: Kind, email: str, origin: str = "", **details: str) -> None:
    """Enqueue a mail about something that happened, within the caller's transaction.

    origin   scheme and host of the links in it where BASE_URL is not set; "": the mail has no links
    details  what its template shows: names and ids, never a secret, as the queue stores them

    Does nothing without a mail server, and after too many of this kind (`is_full`).
    """
    if settings.SENDS_MAIL and not _is_of_service_account(email) and _count(kind, email):
        origin = settings.BASE_URL or origin
        queue.enqueue_mail(kind=kind, email=email, origin=origin, details=details)


def send_sample(*, kind: Kind, email: str, origin: str) -> None:
    """Enqueue a mail with invented values, for an operator who tests the mail server."""
    notify(kind=kind, email=email, origin=origin, **{SAMPLE: "yes"})


@transaction.atomic
def send_test(*, actor: User, email: str) -> None:
    """Enqueue a mail to this address, for an operator who tests the mail server.

    Raises Unprocessable without a mail server, and LimitExceeded after too many.
    """
    operators.require(actor)
    if not settings.SENDS_MAIL:
        raise Unprocessable("No mail server is set up: set EMAIL_URL.")
    if is_full(kind=Kind.PASSWORD_CHANGED, email=email):
        raise LimitExceeded("This address has had many mails in the last hour. Test again later.")
    send_sample(kind=Kind.PASSWORD_CHANGED, email=email, origin="")
    audit.record(workspace=None, actor=actor, action="mail.tested", target=email)


def is_full(*, kind: Kind, email: str) -> bool:
    """Whether the address has had as many mails of this kind as LIMITS allows, so that there is no other."""
    most, _ = LIMITS.get(kind, LIMIT)
    return settings.SENDS_MAIL and int(cache.get(_key(kind, email), 0)) >= most


def _count(kind: Kind, email: str) -> bool:
    """Count a mail; False if there were too many."""
    most, seconds = LIMITS.get(kind, LIMIT)
    key = _key(kind, email)
    cache.add(key, 0, seconds)
    try:
        count = cache.incr(key)
    except ValueError:  # the time ended at this moment
        return True
    if count > most:
        log.warning("a mail (%s) was left out: its address has had %s already", kind, most)
    return count <= most


def _key(kind: Kind, email: str) -> str:
    return f"mails:{kind}:{hashlib.sha256(normalized(email).encode()).hexdigest()}"


def _is_of_service_account(email: str) -> bool:
    return email.strip().lower().endswith(f"@{SERVICE_DOMAIN}")
