"""Invalid addresses in settings, and the address printed at the start."""

from __future__ import annotations

import pytest

from imageeditor import addresses


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("images.example.com", "must begin with https://"),
        ("localhost:8000", "must begin with https://"),
        ("ftp://images.example.com", "must begin with https://"),
        ("https://", "has no host"),
        ("https://images.example.com/atelier", "cannot be served below a path"),
        ("https://images.example.com/?a=b", "cannot be served below a path"),
        ("https://images.example.com:99999", "Port out of range"),
        ("https://images.example.com:0", "no valid port"),
        ("https://[::1", "not a URL"),
        ("https://a b", "not a host name"),
        ("https://exa_mple.com", "not a host name"),
        ("https://1.2.3", "not a host name"),
        ("https://one.example,two.example", "not a host name"),
        ("https://bü cher.example", "not a host name"),
    ],
)
def test_an_invalid_base_url_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        addresses.base_url(url)


def test_the_reason_does_not_repeat_a_password() -> None:
    with pytest.raises(ValueError, match="user name") as refused:
        addresses.base_url("https://amara:secret@images.example.com")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "entry",
    [
        "https://one.example",
        "one.example:8000",
        "[::1]:8000",
        "one.example/x",
        "*.one.example",
        "a b",
        "one_",
        ".",
    ],
)
def test_an_invalid_allowed_host_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="“"):
        addresses.allowed_host(entry)


LOCAL = ("localhost", "127.0.0.1", "[::1]")


@pytest.mark.parametrize(
    ("listening", "port", "allowed", "url"),
    [
        ("127.0.0.1", 8000, LOCAL, "http://127.0.0.1:8000/"),
        ("localhost", 80, LOCAL, "http://localhost/"),
        ("0.0.0.0", 8000, LOCAL, "http://localhost:8000/"),
        ("0.0.0.0", 8000, ("127.0.0.1",), "http://127.0.0.1:8000/"),
        ("0.0.0.0", 8000, ("*",), "http://localhost:8000/"),
        ("0.0.0.0", 8000, (".example", "one.example"), "http://one.example:8000/"),
        ("::", 8000, LOCAL, "http://[::1]:8000/"),
        ("fd00::17", 8000, (*LOCAL, "[fd00::17]"), "http://[fd00::17]:8000/"),
        ("127.0.0.1", 8000, ("one.example",), "http://one.example:8000/"),
    ],
)
def test_the_printed_address_has_a_host_that_is_served(
    listening: str, port: int, allowed: tuple[str, ...], url: str
) -> None:
    assert addresses.opened_at(listening=listening, port=port, allowed=allowed) == url
