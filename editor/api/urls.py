"""Where the public API is."""

from django.urls import path

from editor.api.api import api
from editor.api.door import PATH

urlpatterns = [path(PATH.removeprefix("/"), api.urls)]
