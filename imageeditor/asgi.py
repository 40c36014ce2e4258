"""The ASGI application: pages and APIs over HTTP, live updates over websockets."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageeditor.settings")

from django.core.asgi import get_asgi_application

django = get_asgi_application()

# These need the apps to be loaded, which the line above did.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from editor.api import put  # noqa: E402
from editor.sockets.routing import urlpatterns  # noqa: E402
from imageeditor.body_limit import App, BodyLimit  # noqa: E402

pages: App = BodyLimit(django)


async def http(scope: Any, receive: Any, send: Any) -> None:
    """Files at upload links have a limit of their own; everything else goes to Django within its."""
    app: App = put.receive_upload if scope["path"].startswith(put.PATH) else pages
    await app(scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(urlpatterns))),
    }
)
