"""The socket of pages at the public address, behind a proxy that sends a host of its own."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from channels.security.websocket import AllowedHostsOriginValidator
from pytest_django import Settings

from editor.concurrency.threads import in_thread
from imageeditor.asgi import page_sockets
from tests.factories import make_actor
from tests.sockets.page import listen

pytestmark = pytest.mark.usefixtures("committed")


@pytest.mark.parametrize(
    ("base_url", "allowed"),
    [
        ("https://[fd00::17]", "[fd00::17]"),
        ("https://[fd00::17]:8443", "[fd00::17]"),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
async def test_pages_connect_whatever_host_the_proxy_sends(
    settings: Settings, base_url: str, allowed: str
) -> None:
    settings.BASE_URL = base_url
    settings.ALLOWED_HOSTS = ["127.0.0.1", allowed]
    app = AllowedHostsOriginValidator(page_sockets.application)  # type: ignore[attr-defined]
    actor = await in_thread(make_actor)
    for host in ("127.0.0.1:8000", urlsplit(base_url).netloc):
        async with listen(actor.user, actor.workspace.slug, host=host, origin=base_url, app=app) as page:
            assert page.accepted
