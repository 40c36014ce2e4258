"""Operators preview all mails, and send one to themselves."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.contexts import mails
from editor.models import User
from editor.operations.mails import Kind
from tests.factories import PASSWORD, make_workspace
from tests.web.requests import signed_in

pytestmark = pytest.mark.django_db

OPERATOR = "operator@example.test"


@pytest.fixture
def client() -> Client:
    return signed_in(User.objects.create_superuser(OPERATOR, PASSWORD))


@pytest.mark.parametrize("kind", list(Kind))
def test_each_mail_is_shown_as_text_and_html(client: Client, kind: Kind) -> None:
    page = client.get(reverse("mail", args=[kind.value]))
    text = page.content.decode()
    assert page.status_code == 200
    assert f'src="{reverse("mail_html", args=[kind.value])}"' in text
    html = client.get(reverse("mail_html", args=[kind.value])).content.decode()
    assert 'style="' in html
    for content in (text, html):
        assert "{{" not in content
        assert "{%" not in content
        assert "()" not in content
    assert reverse("mail", args=[kind.value]) in client.get(reverse("mails")).content.decode()


def test_only_the_frame_may_have_inline_styles_and_it_may_do_nothing_else(client: Client) -> None:
    page: Any = client.get(reverse("mail", args=["invited"]))
    frame: Any = client.get(reverse("mail_html", args=["invited"]))
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    policy = {part.strip() for part in frame["Content-Security-Policy"].split(";")}
    assert policy == {"default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'", "sandbox"}
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert page["X-Frame-Options"] == "DENY"


def test_a_test_goes_to_the_operator_with_invented_values(client: Client, settings: Settings) -> None:
    settings.SENDS_MAIL = True
    url = reverse("mail", args=["invited"])
    assert "Send a test to me" in client.get(url).content.decode()
    assert client.post(url).status_code == 302
    args = ProcrastinateJob.objects.get().args
    assert (args["kind"], args["email"], args["details"]) == ("invited", OPERATOR, {"sample": "yes"})
    mail = mails.build(**{**args, "kind": Kind(args["kind"])})
    assert mail is not None
    assert mail.subject == "Amara Okafor invites you to Acme Studio"


def test_without_a_mail_server_none_is_sent(client: Client, settings: Settings) -> None:
    settings.SENDS_MAIL = False
    url = reverse("mail", args=["invited"])
    assert "Send a test" not in client.get(url).content.decode()
    client.post(url)
    assert not ProcrastinateJob.objects.exists()


def test_others_see_no_previews(client: Client) -> None:
    owner = signed_in(make_workspace().members.get())
    for url in (reverse("mails"), reverse("mail", args=["reset"]), reverse("mail_html", args=["reset"])):
        assert owner.get(url).status_code == 302
    assert client.get(reverse("mail", args=["nothing"])).status_code == 404
