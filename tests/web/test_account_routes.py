"""Only allauth's account pages with a template of the portal are routed."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account import urls as library
from django.template.loader import get_template
from django.test import Client
from django.urls import NoReverseMatch, reverse

from editor.web import account_urls
from tests.factories import UserFactory
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db

HERE = {pattern.name for pattern in account_urls.urlpatterns}
GONE = [
    "email/",
    "confirm-email/",
    "confirm-email/MTI:1abc:def/",
    "password/set/",
    "login/code/",
    "login/code/confirm/",
    "phone/verify/",
    "phone/change/",
    "signup/passkey/",
    "3rdparty/",
    "social/signup/",
    "social/connections/",
    "2fa/trust/",
    "2fa/webauthn/",
    "2fa/webauthn/signup/",
    "sessions/",
]


@pytest.mark.parametrize("path", GONE)
def test_pages_without_a_template_of_the_portal_are_not_routed(path: str) -> None:
    for client in (Client(), signed_in(UserFactory.create())):
        assert client.get(f"/accounts/{path}").status_code == 404
        fields = {"email": "victim@example.test", "action_add": "", "action_primary": ""}
        assert client.post(f"/accounts/{path}", fields).status_code == 404


def test_new_pages_of_the_library_are_not_routed_automatically() -> None:
    gone = {str(pattern.name) for pattern in library.urlpatterns} - HERE
    assert "account_email" in gone
    for name in gone:
        with pytest.raises(NoReverseMatch):
            reverse(name)


ARGUMENTS: dict[str | None, dict[str, Any]] = {
    "account_reset_password_from_key": {"uidb36": "1", "key": "no-such"},
    "sign_up_finish": {"token": "no-such"},
    "account_confirm_email": {"token": "no-such"},
    "account_end_session": {"session_id": 1},
    "mfa_remove_webauthn": {"pk": 1},
    "openid_connect_login": {"provider_id": "no-such"},
    "openid_connect_callback": {"provider_id": "no-such"},
    "passkey_options": {"purpose": "sign-in"},
}
POST_ONLY = {
    "account_appearance",
    "account_mail",
    "account_delete",
    "account_disconnect",
    "account_email_action",
    "account_end_session",
    "account_end_sessions",
    "account_profile",
    "openid_connect_login",
}


@pytest.mark.parametrize("name", sorted(HERE - POST_ONLY - {"passkey_options"}, key=str))
def test_each_routed_page_uses_the_portals_template(name: str) -> None:
    path = reverse(name, kwargs=ARGUMENTS.get(name))
    for client in (Client(), signed_in(UserFactory.create())):
        page = client.get(path, follow=True)
        assert page.status_code in (200, 404)
        assert {template.name for template in page.templates} & {"base.html"}
        for template in page.templates:
            if template.name and template.name.startswith(("account/", "mfa/", "socialaccount/")):
                origin = str(get_template(template.name).template.origin)  # type: ignore[attr-defined]
                assert "site-packages" not in origin


@pytest.mark.parametrize("name", sorted(POST_ONLY))
def test_what_changes_something_needs_a_post(name: str) -> None:
    path = reverse(name, kwargs=ARGUMENTS.get(name))
    assert signed_in(UserFactory.create()).get(path).status_code == 405


@pytest.mark.parametrize("name", sorted(POST_ONLY - {"openid_connect_login"}))
def test_changes_of_an_account_need_a_sign_in(name: str) -> None:
    answer = Client().post(reverse(name, kwargs=ARGUMENTS.get(name)))
    assert answer["Location"].startswith(reverse("account_login"))


def test_a_user_without_a_password_is_redirected_to_the_reset(client: Client) -> None:
    user = UserFactory.create()
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    page = client.get(reverse("account_change_password"), follow=True)
    assert page.status_code == 200
    assert page.redirect_chain[-1][0] == reverse("account_reset_password")


@pytest.mark.parametrize("signed", [False, True], ids=["stranger", "signed in"])
@pytest.mark.parametrize(
    "next", ["http://[evil", "//[", "https://evil.example/", "https://evil.sub.example/", "//evil.example"]
)
def test_sign_in_leads_to_no_other_site(next: str, signed: bool, settings: Any) -> None:
    """What is no URL was an error 500, and a pattern in ALLOWED_HOSTS let strangers' subdomains pass."""
    settings.ALLOWED_HOSTS = ["testserver", ".sub.example"]
    client = signed_in(UserFactory.create()) if signed else Client()
    response = client.get("/accounts/login/", {"next": next})
    assert (response.status_code, response.headers.get("Location", "/")) == (302 if signed else 200, "/")
