"""The ASGI application: pages and APIs over HTTP, live updates over websockets."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "imageeditor.settings")

from django.core.asgi import get_asgi_application

django = get_asgi_application()

# These need the apps to be loaded, which the call above does.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from editor.api import put  # noqa: E402
from editor.api.profile import PATH, PROFILE  # noqa: E402
from editor.callbacks import middleware as callbacks  # noqa: E402
from editor.compat.bfl import profile as bfl  # noqa: E402
from editor.compat.openai import profile as openai  # noqa: E402
from editor.compat.openai.headers import WithHeaders  # noqa: E402
from editor.compat.wiro import profile as wiro  # noqa: E402
from editor.gateway.asgi import App  # noqa: E402
from editor.gateway.cross_origin import CrossOrigin  # noqa: E402
from editor.gateway.handler import ProgramHandler  # noqa: E402
from editor.gateway.middleware import GatewayMiddleware  # noqa: E402
from editor.mcp import profile as mcp  # noqa: E402
from editor.mcp.entry import serve as serve_mcp  # noqa: E402
from editor.web.gateway import PageGateway  # noqa: E402
from imageeditor import routing  # noqa: E402

programs = ProgramHandler()
# By path prefix; each limits what it reads. Everything else is a page.
apis: dict[str, App] = {
    PATH: CrossOrigin(
        GatewayMiddleware(programs, PROFILE),
        methods="GET, POST",
        headers="Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer",
        exposed="Idempotency-Replayed, Location, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, "
        "X-RateLimit-Reset",
    ),
    **dict.fromkeys(wiro.PATHS, GatewayMiddleware(programs, wiro.PROFILE)),
    openai.IMAGES: WithHeaders(GatewayMiddleware(programs, openai.PROFILE)),
    openai.MODELS: WithHeaders(GatewayMiddleware(programs, openai.PROFILE)),
    put.PATH: CrossOrigin(put.receive_upload, methods="PUT", headers="Content-Type", exposed="ETag"),
    callbacks.PATH: callbacks.CallbackGateway(programs),
    bfl.PATH: GatewayMiddleware(programs, bfl.PROFILE),
    mcp.PATH: GatewayMiddleware(serve_mcp, mcp.PROFILE),
}
pages: App = PageGateway(django)  # type: ignore[arg-type]


async def http(scope: Any, receive: Any, send: Any) -> None:
    """Route a request to the API or page at its path."""
    app = next((channel for path, channel in apis.items() if scope["path"].startswith(path)), pages)
    await app(scope, receive, send)


page_sockets: App = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(routing.urlpatterns)))
program_sockets: App = URLRouter(routing.programs)


async def websocket(scope: Any, receive: Any, send: Any) -> None:
    """Programs send no Origin and have no session; all other sockets belong to pages."""
    app = program_sockets if scope["path"] in routing.PROGRAMS else page_sockets
    await app(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": websocket})
