"""What the system itself ends: connections whose clients stopped reading."""

from __future__ import annotations

import select
import socket

import pytest

from editor.worker import protocols


def test_a_client_that_stops_reading_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "UNREAD_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        protocols.end_unread([listener])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        ours, _ = listener.accept()
        with ours:
            ours.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    ours.send(b"a" * 65536)
            ended = select.poll()
            ended.register(ours, select.POLLERR)
            assert ended.poll(60_000)
            with pytest.raises(TimeoutError):
                ours.send(b"a")
