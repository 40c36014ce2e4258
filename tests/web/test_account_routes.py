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
    "reauthenticate/",
    "password/set/",
    "login/code/",
    "login/code/confirm/",
    "phone/verify/",
    "phone/change/",
    "signup/passkey/",
    "3rdparty/",
    "social/signup/",
    "social/connections/",
    "2fa/",
    "sessions/",
    "",
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


@pytest.mark.parametrize("name", sorted(HERE, key=str))
def test_each_routed_page_uses_the_portals_template(name: str) -> None:
    arguments = {
        "account_reset_password_from_key": {"uidb36": "1", "key": "no-such"},
        "sign_up_finish": {"token": "no-such"},
    }
    path = reverse(name, kwargs=arguments.get(name))
    for client in (Client(), signed_in(UserFactory.create())):
        page = client.get(path, follow=True)
        assert page.status_code == (404 if name == "sign_up_finish" else 200)
        assert {template.name for template in page.templates} & {"base.html"}
        for template in page.templates:
            if template.name and template.name.startswith("account/"):
                origin = str(get_template(template.name).template.origin)  # type: ignore[attr-defined]
                assert "site-packages" not in origin


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
