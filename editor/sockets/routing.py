"""Which socket answers at which path."""

from django.urls import path

from editor.sockets.workspace import WorkspaceConsumer

urlpatterns = [path("ws/w/<slug:slug>/", WorkspaceConsumer.as_asgi())]
