"""Every page route and form, the account pages and the admin handle any request without failing.

Each route is requested by a stranger, a member and the operator, with deterministic examples of
Hypothesis. To search for more by hand: FUZZED=300 pytest tests/web/test_odd_requests.py
"""

from __future__ import annotations

import json
import os
import re
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from editor.models import Job, User
from tests import fake_providers
from tests.web.requests import HTMX, signed_in
from tests.web.routes import IN_A_WORKSPACE, OUTSIDE, Rows, make_rows

FUZZED = int(os.environ.get("FUZZED", "2"))  # requests by each user to each route
# The routes of the programs' APIs have their own tests, with their own clients.
PROGRAMS = ("api/v1/", "v1/", "callbacks/")

ODD = (
    *(
        "x",
        "",
        " ",
        "\0",
        "a\0b",
        "\ud800",
        "x\udfff",
        "\u202e",
        "é" * 300,
        "%00",
        "%ff",
        "%",
        "\r\n",
        "x" * 9000,
    ),
    *("0", "-1", "1", "2", "9" * 30, "9" * 5000, "1e400", "NaN", "-0.0", "١٢٣", "²", "on", "None", "[]"),
    *("'", '"><script>', "../../etc/passwd", "//evil.example", "x y", "javascript:1", "http://[", "/x"),
    *(str(uuid.UUID(int=0)), "00000000-0000-0000-0000-00000000000", "e1=1", "1970-13-45", "9999-12-31"),
    *("amara@example.test", "a@" + "b" * 300, "https://127.0.0.1:99999/", "\U0010ffff", "\x1b[31m", "/", "?"),
)
# Field names of the forms of pages, accounts and the admin, and query parameters of its lists.
NAMES = """
images next starred older newest q model person since action source prompt tier image reference mask
style character idempotency_key samples seed width height aspectRatio days overlap key_id name scopes
expires_in signed url events enabled low_balance_threshold key secret theme file login email password
password1 password2 oldpassword remember workspace_name csrfmiddlewaretoken _popup _to_field post index
_selected_action app_label model_name field_name term usable_password id account amount note slug plan
memberships-TOTAL_FORMS memberships-INITIAL_FORMS memberships-0-user memberships-0-id requests_per_minute
target api_key api_secret provider _save workspace position kind is_active is_staff _changelist_filters
rows side at with like title before
""".split()
NAMES += ["", "é"]
LISTS = ["q", "o", "p", "e", "all", "_popup", "_to_field", "id__in", "id", "pk", "workspace__name"]
METHODS = ("post", "post", "post", "get", "get", "head", "put", "delete", "options", "propfind")
KINDS = (
    *("application/x-www-form-urlencoded",) * 3,
    "multipart/form-data; boundary=XX",
    "application/x-www-form-urlencoded; charset=utf-7",
    "application/json",
    "multipart/form-data",
    "",
)


def _routes() -> dict[str, str]:
    """Django's patterns of all pages, such as "w/<slug:slug>/v/<uuid:image_id>/", and their names."""

    def walk(patterns: Any, before: str) -> Iterator[tuple[str, str]]:
        for one in patterns:
            path = before + re.sub(r"^\^|\$$|\\Z$", "", str(one.pattern))
            if isinstance(one, URLPattern):
                yield path, one.name or ""
            else:
                yield from walk(one.url_patterns, path)

    admin.autodiscover()
    found = walk(get_resolver().url_patterns, "")
    return {path: name for path, name in found if not path.startswith(PROGRAMS)}


ROUTES = _routes()

values = st.sampled_from(ODD) | st.text(max_size=12)


@dataclass(frozen=True)
class Ask:
    """One request; its path is built from the route's."""

    method: str
    kind: str
    right: bool  # the path and the form are the page's own, except for additions
    fields: dict[str, str]
    query: dict[str, str]
    places: list[str]
    htmx: bool
    zone: str


@st.composite
def asks(draw: st.DrawFn, route: str) -> Ask:
    """Few fields or nearly all; each odd in its own way or, which finds more, all in the same way."""

    def filled(names: list[str], count: int) -> dict[str, str]:
        same = draw(st.sampled_from(ODD) | st.none())
        chosen = draw(st.lists(st.sampled_from(names), min_size=count, max_size=count, unique=True))
        return {name: draw(values) if same is None else same for name in chosen}

    return Ask(
        method=draw(st.sampled_from(METHODS)),
        kind=draw(st.sampled_from(KINDS)),
        right=draw(st.sampled_from([True, True, True, False])),
        fields=filled(NAMES, draw(st.sampled_from([len(NAMES), 30, 5, 1]))),
        query=filled(_requested(route), draw(st.sampled_from([1, 0, 2, 4]))),
        places=draw(st.lists(values, min_size=3, max_size=3)),
        htmx=draw(st.booleans()),
        zone=draw(values),
    )


def _requested(route: str) -> list[str]:
    """Names of its query parameters."""
    found = re.fullmatch(r"admin/(\w+)/(\w+)/", route)
    if not found or found[1] not in apps.app_configs:
        return NAMES
    shown = admin.site.get_model_admin(apps.get_model(found[1], found[2]))
    filters = [name for name in shown.list_filter if isinstance(name, str)]
    days = [f"{shown.date_hierarchy}__{part}" for part in ("year", "month", "day") if shown.date_hierarchy]
    return [
        *LISTS,
        *days,
        *filters,
        *(f"{name}__exact" for name in filters),
        *(f"{n}__isnull" for n in filters),
    ]


def _quoted(text: str) -> str:
    """URL-quoted; surrogates become escapes of bytes that are not UTF-8."""
    return quote(text.encode(errors="surrogatepass"), safe="%" if text in ("%", "%00", "%ff") else "")


def _path(route: str, ask: Ask, rows: Rows) -> str:
    right = {"slug": rows.workspace.slug, "name": "coffee", "provider": "bfl", "url": "", "variant": "full"}
    known = {
        "image_id": rows.result.pk,
        "job_id": rows.job.pk,
        "share_id": rows.share.pk,
        "key_id": rows.key.pk if "provider-keys" in route else rows.api_key.pk,
        "endpoint_id": rows.endpoint.pk,
        "delivery_id": rows.delivery.pk,
        "app_label": "editor",
        "object_id": _first_of(route),
        "id": rows.workspace.members.earliest("date_joined").pk,
    }
    places = iter(ask.places)

    def place(found: re.Match[str]) -> str:
        name, odd = found["name"], next(places)
        if ask.right or found["kind"] in ("slug", "uuid"):  # others are not found, which tests little
            return quote(str({**right, **known}.get(name, "x")))
        return _quoted(odd) or "x"

    named = re.sub(r"\(\?P(<\w+>).*?\)", r"\1", route)  # of the few patterns that are regular expressions
    return "/" + re.sub(r"<((?P<kind>\w+):)?(?P<name>\w+)>", place, named)


def _first_of(route: str) -> str:
    """The primary key of a row in that part of the admin."""
    if found := re.match(r"admin/(\w+)/(\w+)/<path:object_id>/", route):
        row = apps.get_model(found[1], found[2])._default_manager.order_by("pk").first()
        return str(row.pk) if row else "1"
    return "1"


def _content(ask: Ask, fields: list[tuple[str, str]]) -> bytes:
    match ask.kind.partition(";")[0]:
        case "application/json":
            return json.dumps(fields).encode()
        case "multipart/form-data":
            part = b'--XX\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
            raw = [(name.encode(), value.encode(errors="surrogatepass")) for name, value in fields]
            named = {b"image", b"file", b"reference", b"mask"}
            parts = [part % (n, b'; filename="%b"' % v[:20] if n in named else b"", v) for n, v in raw]
            return b"".join(parts) + b"--XX--\r\n"
    return urlencode(fields, errors="surrogatepass").encode()


def _send(client: Client, route: str, ask: Ask, rows: Rows) -> Any:
    known = IN_A_WORKSPACE.get(ROUTES[route])
    base = known.fields(rows) if known and ask.right else {}
    fields = [(name, str(value)) for name, value in {**ask.fields, **base}.items()]
    fields += fields[:1]  # repeated
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in ask.query.items())
    headers = {**(HTMX if ask.htmx else {}), "Cookie": f"tz={_quoted(ask.zone)}; theme={_quoted(ask.zone)}"}
    headers["Referer"] = _quoted(ask.places[0])
    headers["Cookie"] += "".join(f"; {name}={morsel.value}" for name, morsel in client.cookies.items())
    return client.generic(
        ask.method.upper(),
        f"{_path(route, ask, rows)}?{query}",
        _content(ask, fields),
        content_type=ask.kind,
        headers=headers,
    )


@pytest.fixture
def rows(committed: None, monkeypatch: pytest.MonkeyPatch) -> Rows:
    fake_providers.install(monkeypatch)  # no network
    return make_rows("Acme Studio")


def _stranger(rows: Rows) -> Client:
    return Client()


def _member(rows: Rows) -> Client:
    return signed_in(rows.workspace.members.earliest("date_joined"))


def _operator(rows: Rows) -> Client:
    person = rows.workspace.members.earliest("date_joined")
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    return signed_in(person)


@pytest.mark.parametrize("come", [_stranger, _member, _operator])
def test_no_request_causes_a_server_error(
    rows: Rows, come: Callable[[Rows], Client], caplog: pytest.LogCaptureFixture
) -> None:
    client = come(rows)
    client.raise_request_exception = False
    cookies = client.cookies.output(header="", sep=";")
    failed: dict[str, str] = {}

    def ask_for(route: str) -> None:
        @seed(zlib.crc32(route.encode()))
        @settings(
            max_examples=FUZZED,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(asks(route))
        def send(ask: Ask) -> None:
            caplog.clear()
            client.cookies = SimpleCookie(cookies)
            with transaction.atomic():  # undo its changes for the next one
                response = _send(client, route, ask, rows)
                if not getattr(response, "is_async", False):  # zips are read in test_zip and test_export
                    b"".join(response)  # streams are only generated now
                transaction.set_rollback(True)
            if response.status_code >= 500:
                failed[route] = f"{response.status_code} {ask}\n{caplog.text[-2000:]}"

        send()

    for route in ROUTES:
        ask_for(route)
    assert failed == {}, "\n\n".join(f"{route}: {why}" for route, why in failed.items())


def test_all_pages_are_among_the_routes() -> None:
    assert {*IN_A_WORKSPACE, *OUTSIDE, "account_login", "editor_job_changelist"} <= {*ROUTES.values()}


def test_nul_is_refused_without_side_effects(rows: Rows) -> None:
    client = _operator(rows)
    client.raise_request_exception = False
    slug, jobs = rows.workspace.slug, Job.objects.count()
    answers = [
        client.post(f"/w/{slug}/jobs/{rows.job.pk}/again/", {"idempotency_key": "a\0b"}),
        client.get("/admin/editor/job/?status=%00"),
        client.get("/admin/editor/ledgerentry/add/?account=x"),
    ]
    assert [answer.status_code for answer in answers] == [400] * len(answers)
    assert "contains an invalid value" in answers[0].content.decode()
    assert Job.objects.count() == jobs


@pytest.mark.parametrize("name", ["gallery_star", "gallery_trash", "gallery_restore"])
@pytest.mark.parametrize(
    "next_url", ["x", "home", "//evil.example", "javascript:alert(1)", "/a\r\nb", "é", "/w/é"]
)
def test_an_invalid_next_redirects_to_the_default(rows: Rows, name: str, next_url: str) -> None:
    client = _member(rows)
    url = IN_A_WORKSPACE[name].url(name, rows)
    answer = client.post(url, {"images": rows.result.pk, "next": next_url})
    assert answer.status_code == 302
    location = answer.headers["location"]
    assert location.startswith(("/w/acme-studio/", "/a%0D%0Ab", "/w/%C3%A9")), location
