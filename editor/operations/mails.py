"""Mails that anyone may request on a page.

The page only enqueues a task, the same for every address: neither its response nor its timing reveals
whether there is an account. The worker looks that up and sends the matching mail.
"""

from __future__ import annotations

from enum import StrEnum

from editor.operations import queue


class Kind(StrEnum):
    RESET = "reset"
    SIGN_UP = "sign_up"


def ask(*, kind: Kind, email: str, origin: str) -> None:
    """Enqueue a mail. `origin`: scheme and host of the links in it."""
    queue.enqueue_mail(kind=kind, email=email.strip().lower(), origin=origin)
