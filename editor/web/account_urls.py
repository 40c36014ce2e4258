"""The allauth account pages that the portal has templates for; the others are not routed.

allauth looks the pages up by these names.
"""

from allauth.account import views
from django.db import transaction
from django.urls import path, re_path

from editor.web.views import sign_up

urlpatterns = [
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("signup/", sign_up.sign_up, name="account_signup"),
    path("signup/sent/", sign_up.sent, name="sign_up_sent"),
    path("signup/link/<str:token>/", sign_up.finish, name="sign_up_finish"),
    # Atomic: other tabs are notified of the ended session only once this browser has its new one.
    path("password/change/", transaction.atomic(views.password_change), name="account_change_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    # The page above redirects users without a password here: a reset by mail gives them one.
    path("password/reset/", views.password_reset, name="account_set_password"),
    path("password/reset/done/", views.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        views.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
]
