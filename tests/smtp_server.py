"""A mail server on loopback that keeps what it gets."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.patience import PATIENCE


class _AnyPort(Controller):
    """Listens on a port that the system chooses."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()


class SmtpServer:
    """`mails`: those that it accepted. `refusing`: how many more it refuses for now, as busy servers do."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refused = 0
        self.refusing = 0
        self._controller = _AnyPort(self, hostname="127.0.0.1", port=0, ready_timeout=PATIENCE)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusing:
            self.refusing -= 1
            self.refused += 1
            return "451 Try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 OK"

    def __enter__(self) -> SmtpServer:
        self._controller.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        return int(self._controller.port)
