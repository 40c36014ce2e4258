"""The origin of links in mails, whatever a stranger sends as `Host`."""

from __future__ import annotations

import pytest
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings

from editor.errors import Unprocessable
from editor.gateway.requests import mail_origin

HOSTS = [
    "localhost",
    "localhost:4444",
    "localhost.",
    "localhost.:4444",
    "LOCALHOST:1",
    "127.0.0.1:80",
    "[::1]:9",
]


def request_to(host: str, *, port: str = "8000", scheme: str = "http") -> HttpRequest:
    request = RequestFactory().get("/", SERVER_PORT=port, secure=scheme == "https", headers={"host": host})
    assert request.scheme == scheme
    return request


@pytest.fixture(autouse=True)
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "images.example.com"]


@pytest.mark.parametrize("host", [*HOSTS, "images.example.com:8443"])
def test_links_start_with_the_base_url_if_it_is_set(settings: Settings, host: str) -> None:
    settings.BASE_URL = "https://images.example.com"
    assert mail_origin(request_to(host)) == "https://images.example.com"


@pytest.mark.parametrize("host", HOSTS)
def test_without_base_url_the_port_is_that_of_the_connection(settings: Settings, host: str) -> None:
    settings.BASE_URL = ""
    expected = {"l": "http://localhost:8000", "1": "http://127.0.0.1:8000", "[": "http://[::1]:8000"}
    assert mail_origin(request_to(host)) == expected[host[0].lower()]


@pytest.mark.parametrize(("scheme", "port"), [("http", "80"), ("https", "443")])
def test_default_ports_are_omitted(settings: Settings, scheme: str, port: str) -> None:
    settings.BASE_URL = ""
    assert mail_origin(request_to("localhost:4444", scheme=scheme, port=port)) == f"{scheme}://localhost"


@pytest.mark.parametrize("pattern", ["*", ".example.com"])
def test_a_host_that_only_matches_a_pattern_is_never_used(settings: Settings, pattern: str) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS = "", [pattern]
    with pytest.raises(Unprocessable, match="BASE_URL"):
        mail_origin(request_to("evil.example.com"))


def test_a_host_that_is_not_allowed_is_never_used(settings: Settings) -> None:
    settings.BASE_URL = ""
    with pytest.raises(DisallowedHost):
        mail_origin(request_to("evil.example.com"))
