"""URLs of the public API."""

from django.urls import path

from editor.api.api import api
from editor.api.document import openapi
from editor.api.profile import PATH

BASE = PATH.removeprefix("/")

urlpatterns = [
    path(f"{BASE}openapi.json", openapi, name="openapi"),
    path(BASE, api.urls),
]
