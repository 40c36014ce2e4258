"""URLs for callbacks from providers."""

from django.urls import path

from editor.callbacks import views

urlpatterns = [path("callbacks/<slug:provider>/<str:token>/", views.callback, name="provider_callback")]
