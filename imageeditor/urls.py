"""Which door answers at which path."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

# The admin shares the sign-in page, and so its lockout, with everybody else.
admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("", include("editor.api.urls")),
    path("", include("editor.callbacks.urls")),
    path("", include("editor.web.urls")),
]
