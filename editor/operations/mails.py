"""Mails that are asked for on a page, by somebody who may be a stranger.

The page only puts a row into the queue, the same for every address: neither what it answers nor how
long it takes tells whether there is an account. The worker looks, and sends what fits.
"""

from __future__ import annotations

from enum import StrEnum

from editor.operations import queue


class Kind(StrEnum):
    RESET = "reset"
    SIGN_UP = "sign_up"


def ask(*, kind: Kind, email: str, origin: str) -> None:
    """Have a mail sent. `origin`: scheme and host that links in it begin with."""
    queue.enqueue_mail(kind=kind, email=email.strip().lower(), origin=origin)
