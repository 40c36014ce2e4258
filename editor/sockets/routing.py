"""Which socket answers at which path."""

from django.urls import path

from editor.sockets.wiro import TaskConsumer
from editor.sockets.workspace import WorkspaceConsumer

# For pages of this portal, with a session.
urlpatterns = [path("ws/w/<slug:slug>/", WorkspaceConsumer.as_asgi())]
# For programs, at the path of Wiro's own socket too.
PROGRAMS = ("/ws/v1", "/v1")
programs = [path(address.removeprefix("/"), TaskConsumer.as_asgi()) for address in PROGRAMS]
