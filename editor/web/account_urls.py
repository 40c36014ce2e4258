"""The account pages: those of allauth that the portal has templates for, and the portal's own.

allauth looks its pages up by these names. Other pages of it are not routed.
"""

from allauth.account import views
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as social
from django.db import transaction
from django.urls import path, re_path

from editor.web.views import account, oidc, second_factor, sign_in, sign_up

urlpatterns = [
    path("login/", sign_in.sign_in, name="account_login"),
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
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    # The account page, also where allauth has a list of its own.
    path("", account.page, name="account"),
    path("", account.page, name="usersessions_list"),
    path("", account.page, name="socialaccount_connections"),
    path("", account.page, name="mfa_list_webauthn"),
    path("profile/", account.profile, name="account_profile"),
    path("address/", account.email_action, name="account_email_action"),
    path("address/<str:token>/", account.confirm_email, name="account_confirm_email"),
    path("sessions/end/", account.end_sessions, name="account_end_sessions"),
    path("sessions/<int:session_id>/end/", account.end_session, name="account_end_session"),
    path("appearance/", account.appearance, name="account_appearance"),
    path("mail/", account.mail, name="account_mail"),
    path("delete/", account.delete, name="account_delete"),
    path("deleted/", account.deleted, name="account_deleted"),
    # Second factor and passkeys.
    path("2fa/", mfa.index, name="mfa_index"),
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("2fa/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "2fa/recovery-codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"
    ),
    path(
        "2fa/recovery-codes/file/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"
    ),
    path("passkeys/options/<slug:purpose>/", account.passkey_options, name="passkey_options"),
    path("passkeys/sign-in/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("passkeys/reauthenticate/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("passkeys/add/", second_factor.add_passkey, name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove/", second_factor.remove_passkey, name="mfa_remove_webauthn"),
    # Identity providers.
    path("oidc/canceled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("oidc/disconnect/", account.disconnect, name="account_disconnect"),
    path("oidc/<slug:provider_id>/", oidc.leave, name="openid_connect_login"),
    path("oidc/<slug:provider_id>/callback/", oidc.come_back, name="openid_connect_callback"),
]
