"""The ASGI application: pages and APIs over HTTP, live updates over websockets."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageeditor.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()

# These need the apps to be loaded, which the line above did.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from editor.sockets.routing import urlpatterns  # noqa: E402
from imageeditor.body_limit import BodyLimit  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(http),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(urlpatterns))),
    }
)
