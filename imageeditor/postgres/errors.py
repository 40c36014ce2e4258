"""What went wrong with the embedded server, in words for the person who runs the portal."""

from __future__ import annotations


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""
