"""Pages and fragments."""

from django.urls import path

from editor.web.views import credits, edits, files, gallery, home, lightbox, shares, studio, trash, zip

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
    path("w/<slug:slug>/jobs/<uuid:job_id>/again/", lightbox.again, name="again"),
    path("w/<slug:slug>/gallery/", gallery.gallery, name="gallery"),
    path("w/<slug:slug>/gallery/new/", gallery.new, name="gallery_new"),
    path("w/<slug:slug>/gallery/star/", gallery.star, name="gallery_star"),
    path("w/<slug:slug>/gallery/zip/", zip.download, name="gallery_zip"),
    path("w/<slug:slug>/gallery/trash/", trash.discard, name="gallery_trash"),
    path("w/<slug:slug>/gallery/restore/", trash.restore, name="gallery_restore"),
    path("w/<slug:slug>/gallery/edits/<uuid:job_id>/", lightbox.edit, name="gallery_edit"),
    path("w/<slug:slug>/gallery/<uuid:image_id>/", lightbox.image, name="gallery_image"),
    path("w/<slug:slug>/trash/", trash.trash, name="trash"),
    path("w/<slug:slug>/images/<uuid:image_id>/shares/", shares.image_shares, name="shares"),
    path("w/<slug:slug>/shares/<uuid:share_id>/revoke/", shares.revoke, name="share_revoke"),
    path("s/<str:token>/", shares.share, name="share"),
    path("s/<str:token>/<slug:variant>/", shares.share_file, name="share_file"),
    path("w/<slug:slug>/credits/", credits.credits, name="credits"),
]
