"""Pages and fragments."""

from django.urls import path

from editor.web.views import credits, edits, files, home, studio

urlpatterns = [
    path("", home.home, name="home"),
    path("welcome/", home.welcome, name="welcome"),
    path("theme/", home.theme, name="theme"),
    path("healthz", home.health, name="health"),
    path("files/<str:token>", files.image_file, name="file"),
    path("w/<slug:slug>/", studio.studio, name="studio"),
    path("w/<slug:slug>/v/<uuid:image_id>/", studio.version, name="studio_version"),
    path("w/<slug:slug>/upload/", studio.upload, name="upload"),
    path("w/<slug:slug>/samples/<slug:name>/", studio.sample, name="sample"),
    path("w/<slug:slug>/inputs/", studio.inputs, name="inputs"),
    path("w/<slug:slug>/quote/", studio.quote, name="quote"),
    path("w/<slug:slug>/rail/", studio.rail, name="rail"),
    path("w/<slug:slug>/run/", edits.run, name="run"),
    path("w/<slug:slug>/jobs/<uuid:job_id>/cancel/", edits.cancel, name="cancel"),
    path("w/<slug:slug>/credits/", credits.credits, name="credits"),
]
