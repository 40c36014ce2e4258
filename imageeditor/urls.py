"""URLs of the pages and APIs."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from editor.admin import mails, operators
from editor.api.document import document
from editor.web.views import api_reference

# The admin shares the sign-in page, and so its lockout, with everybody else.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.has_permission = operators.may_enter  # type: ignore[method-assign]

handler400 = "editor.web.views.errors.bad_request"
handler403 = "editor.web.views.errors.permission_denied"
handler404 = "editor.web.views.errors.not_found"
handler500 = "editor.web.views.errors.server_error"

urlpatterns = [
    path("admin/mails/", include(mails.urls())),
    # The admin's own page has no limit on guesses and tells nobody about the change.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/", admin.site.urls),
    path("operator/", include("editor.web.operator_urls")),
    path("accounts/", include("editor.web.account_urls")),
    path("", include("editor.api.urls")),
    path("", include("editor.callbacks.urls")),
    path("", include("editor.compat.wiro.urls")),
    path("", include("editor.compat.openai.urls")),
    path("", include("editor.compat.bfl.urls")),  # the last of those under /v1/: it handles all other paths
    # Pages about another channel: neither depends on the other.
    path("w/<slug:slug>/api/", api_reference.page, {"document": document}, name="api_reference"),
    path("w/<slug:slug>/api/team/", api_reference.team, {"document": document}, name="api_team_reference"),
    path("", include("editor.web.urls")),
]
