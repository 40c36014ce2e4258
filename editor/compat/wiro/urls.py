"""URLs of the Wiro-compatible API."""

from django.urls import path

from editor.compat.wiro import tools, views

urlpatterns = [
    path("v1/Run/<str:owner>/<str:project>", views.run),
    path("v1/Task/Detail", views.detail),
    path("v1/Task/Cancel", views.cancel),
    path("v1/Task/Kill", views.kill),
    path("v1/Task/List", views.tasks),
    path("v1/Task/InputOutputDelete", views.delete_files),
    path("v1/Tool/Detail", tools.detail),
    path("v1/Tool/List", tools.tools),
    path("v1/Tool/Explore", tools.explore),
    path("v1/File/Upload", views.upload),
]
