"""Senders and readers that stall are disconnected after a minute."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.attacks.measures import (
    MIB,
    connect,
    cookies_of,
    head_of_answer,
    make_large_image,
    status_of,
    temporary_files,
    until,
)
from tests.e2e.client import Client
from tests.e2e.portal import Portal

FORM = "Content-Type: multipart/form-data; boundary=x"
PATIENCE = 120  # seconds; the portal's timeout is a minute


@pytest.fixture(scope="module")
def amara(common_portal: Portal) -> Iterator[Client]:
    client = Client(common_portal, email="amara@example.test", slug="acme-studio")
    yield client
    client.http.close()


@pytest.mark.parametrize("path", ["/w/acme-studio/upload/", "/accounts/login/"])
def test_a_stalled_body_is_answered_with_408(common_portal: Portal, amara: Client, path: str) -> None:
    length = 25 * MIB if "upload" in path else 1000
    lines = [f"POST {path} HTTP/1.1", FORM, f"Content-Length: {length}", cookies_of(amara)]
    with closing(connect(common_portal, *lines)) as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(bytes(length // 2))
        assert status_of(head_of_answer(connection)) == 408
    until(lambda: temporary_files(common_portal) < MIB, within=PATIENCE)


def test_a_stalled_reader_is_disconnected(common_portal: Portal, amara: Client) -> None:
    image_id = make_large_image(common_portal, amara, size=22 * MIB)
    zip_path = f"/w/acme-studio/gallery/zip/?images={image_id}"
    with closing(
        connect(common_portal, f"GET {zip_path} HTTP/1.1", cookies_of(amara), buffer=4096)
    ) as reader:
        assert status_of(head_of_answer(reader)) == 200
        until(lambda: _has_ended(common_portal, reader), within=PATIENCE)


def _has_ended(portal: Portal, reader: socket.socket) -> bool:
    """Whether the portal's side of the connection is gone from the kernel's table."""
    port = f":{reader.getsockname()[1]:04X}"
    assert portal.process
    table = Path(f"/proc/{portal.process.pid}/net/tcp").read_text().splitlines()[1:]
    own = f":{portal.port:04X}"
    return not any(
        row[1].endswith(own) and row[2].endswith(port) and row[3] == "01" for row in map(str.split, table)
    )
