"""URLs of the OpenAI-compatible API."""

from django.urls import path

from editor.compat.openai import views

urlpatterns = [
    path("v1/images/generations", views.generate, name="openai_generate"),
    path("v1/images/edits", views.edit, name="openai_edit"),
    path("v1/models", views.models, name="openai_models"),
    path("v1/models/<path:name>", views.model, name="openai_model"),
]
