"""The API reference: the API's document for members, with code that is ready to run."""

from __future__ import annotations

import ast
import html
import json
import re
import subprocess
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from editor.access import scopes
from editor.api.document import document
from editor.contexts import api_examples, guides
from editor.models import Role, Workspace
from tests.factories import make_member, make_workspace
from tests.web.requests import body, signed_in
from tests.web.rows import fill

pytestmark = pytest.mark.django_db

PAGES = ["api_reference", "api_team_reference", "api_guide"]
LARGEST = 150_000  # bytes
CODE = re.compile(r'<code id="([^"]+)">(.*?)</code>', re.DOTALL)
BASE = "http://testserver/api/v1/image-editor"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


@pytest.fixture
def page(client: Client, workspace: Workspace) -> str:
    return body(client.get(reverse("api_reference", args=[workspace.slug])))


@pytest.fixture
def team_page(client: Client, workspace: Workspace) -> str:
    return body(client.get(reverse("api_team_reference", args=[workspace.slug])))


@pytest.fixture(params=["page", "team_page"])
def each_page(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def described() -> dict[str, Any]:
    return document(RequestFactory().get("/"))


def section(page: str, name: str) -> str:
    [found] = re.findall(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    return found


def snippets(page: str, language: str) -> dict[str, str]:
    return {name: html.unescape(text) for name, text in CODE.findall(page) if name.endswith(f"-{language}")}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", list(Role))
def test_every_member_may_read(workspace: Workspace, name: str, role: Role) -> None:
    client = signed_in(make_member(workspace, role=role))
    assert client.get(reverse(name, args=[workspace.slug])).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_nobody_else_may_read(client: Client, workspace: Workspace, name: str) -> None:
    theirs = make_workspace(name="Rivals")
    assert client.get(reverse(name, args=[theirs.slug])).status_code == 404
    stranger = Client().get(reverse(name, args=[workspace.slug]))
    assert stranger.status_code == 302
    assert stranger["Location"].startswith(reverse("account_login"))


def test_every_call_of_the_document_is_on_one_of_the_pages(
    page: str, team_page: str, described: dict[str, Any]
) -> None:
    calls = [
        (path, method, operation)
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    ]
    assert len(re.findall(r'<section id="call-', page + team_page)) == len(calls)
    for path, method, operation in calls:
        name = f"call-{operation['operationId'].replace('_', '-')}"
        its_page = team_page if operation["security"] == [{"ApiKey": [scopes.MANAGE]}] else page
        part = section(its_page, name)
        assert operation["summary"] in html.unescape(part)
        assert f'<a href="#{name}">' in its_page
        assert f'data-verb="{method.upper()}"' in part
        assert f'<code class="path">{path}</code>' in part
        for status in operation["responses"]:
            assert status in part
        for parameter in operation["parameters"]:
            assert f"<code>{parameter['name']}</code>" in part


def test_every_field_of_the_document_is_on_one_of_the_pages(
    page: str, team_page: str, described: dict[str, Any]
) -> None:
    for schema in described["components"]["schemas"].values():
        for name in schema["properties"]:
            assert re.search(rf"<code>([a-z_]+(\[\])?\.)?{name}</code>", page + team_page), name


def test_the_first_page_leads_to_each_part_of_the_teams(
    page: str, team_page: str, workspace: Workspace
) -> None:
    url = reverse("api_team_reference", args=[workspace.slug])
    assert f'<a href="{url}">Members and invitations</a>' in page  # in the contents
    parts = re.findall(r'<section id="([^"]+)"', team_page)
    assert {"call-invite", "object-member"} <= set(parts)
    for part in parts:  # where the anchor was before the page was split
        [row] = re.findall(rf'<tr id="{part}">.*?</tr>', page, re.DOTALL)
        assert f'href="{url}#{part}"' in row


def test_the_teams_page_leads_to_the_first(team_page: str, workspace: Workspace) -> None:
    url = reverse("api_reference", args=[workspace.slug])
    assert f'<a href="{url}">All other calls</a>' in team_page
    assert f'href="{url}#errors"' in section(team_page, "call-invite")


def test_a_field_shows_its_values_and_whether_it_is_required(page: str) -> None:
    rows = re.findall(r"<tr>.*?</tr>", section(page, "call-process"), re.DOTALL)
    [prompt] = [row for row in rows if "<code>prompt</code>" in row]
    assert "Required." in prompt
    [tier] = [row for row in rows if "<code>model_tier</code>" in row]
    assert "Required.</b>" not in tier
    assert all(f"<code>{name}</code>" in tier for name in ("creative", "standard", "pro"))
    [key] = [row for row in rows if "<code>Idempotency-Key</code>" in row]
    assert '<span class="hint">header</span>' in key


def test_links_within_a_page_have_targets_and_ids_are_unique(each_page: str) -> None:
    ids = re.findall(r'\sid="([^"]*)"', each_page)
    assert len(ids) == len(set(ids))
    assert all(ids)
    targets = set(re.findall(r'href="#([^"]+)"', each_page))
    assert targets & {"object-job", "object-member"}
    assert targets <= set(ids)


def test_the_code_has_the_portals_own_url_and_no_key(each_page: str) -> None:
    for language in ("curl", "python"):
        found = snippets(each_page, language)
        assert len(found) == len(re.findall(r'<section id="call-', each_page)) > 5
        for name, text in found.items():
            assert f'"{BASE}/' in text, name
            assert "ATELIER_KEY" in text, name
            assert f'commandfor="{name}"' in each_page
    assert "flk_" not in each_page


def test_behind_a_proxy_the_code_has_the_public_url(
    client: Client, workspace: Workspace, settings: Settings
) -> None:
    settings.BASE_URL = "https://images.example.com"
    page = body(client.get(reverse("api_reference", args=[workspace.slug])))
    assert "https://images.example.com/api/v1/image-editor/process" in page
    assert BASE not in page


def test_the_code_is_well_formed(each_page: str) -> None:
    for text in snippets(each_page, "python").values():
        ast.parse(text)
    for text in snippets(each_page, "curl").values():
        subprocess.run(["sh", "-n"], input=text, text=True, check=True)


def test_a_shell_passes_the_example_on_unchanged() -> None:
    payload = {"prompt": 'Write "it\'s" $HOME `x` \\ in blue'}
    command = api_examples.curl(verb="POST", url="http://localhost/", body=payload)
    script = f'curl() {{ for last; do :; done; printf %s "$last"; }}\n{command}'
    done = subprocess.run(["sh"], input=script, text=True, check=True, capture_output=True)
    assert json.loads(done.stdout) == payload


@pytest.mark.parametrize("name", PAGES)
def test_the_page_stays_small(client: Client, workspace: Workspace, name: str) -> None:
    assert len(client.get(reverse(name, args=[workspace.slug])).content) < LARGEST


@pytest.mark.parametrize("name", PAGES)
def test_the_number_of_queries_does_not_grow_with_the_data(
    client: Client, workspace: Workspace, name: str
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(name, args=[workspace.slug]))
        return len(queries)

    count()  # fills caches
    fill(workspace, rows=1)
    few = count()
    fill(workspace, rows=30)
    assert count() == few


def test_the_top_bar_and_the_api_keys_page_link_to_it(client: Client, workspace: Workspace) -> None:
    url = reverse("api_reference", args=[workspace.slug])
    keys = body(client.get(reverse("api_keys", args=[workspace.slug])))
    assert len(re.findall(rf'href="{url}"', keys)) == 2
    assert reverse("api_keys", args=[workspace.slug]) in section(body(client.get(url)), "authentication")


def test_the_guide_is_a_page_and_a_file(client: Client, workspace: Workspace, page: str) -> None:
    url = reverse("api_guide", args=[workspace.slug])
    assert f'href="{url}"' in page
    guide = body(client.get(url))
    assert "<h1>Using the API</h1>" in guide
    assert 'id="toasts"' in guide  # within the portal's frame
    assert re.search(r'<pre tabindex="0"><code class="language-sh(ell)?">', guide)
    assert not re.search(r"^(##|```)", guide, re.MULTILINE)
    answer = client.get(url, {"as": "markdown"})
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode().startswith("# Using the API")


def test_the_settings_link_to_the_guide_to_credits(client: Client, workspace: Workspace) -> None:
    url = reverse("credits_guide", args=[workspace.slug])
    assert f'href="{url}"' in body(client.get(reverse("general", args=[workspace.slug])))
    guide = body(client.get(url))
    assert "<h1>Credits and limits</h1>" in guide
    assert f'<a class="btn" href="{reverse("credits", args=[workspace.slug])}">' in guide


def test_links_of_guides_lead_somewhere(client: Client, workspace: Workspace) -> None:
    for guide in (
        "api",
        "compatible/bfl",
        "compatible/wiro",
        "compatible/openai",
        "compatible/mcp",
        "credits",
    ):
        html = guides.guide(guide).html
        assert not re.search(r'href="(?!https://|#)', html)
        for anchor in re.findall(r'href="#([^"]+)"', html):
            assert f'id="{anchor}"' in html


@pytest.mark.parametrize(
    ("name", "address"), [("bfl", "/v1"), ("wiro", "/v1"), ("openai", "/v1"), ("mcp", "/mcp")]
)
def test_clients_of_other_services_find_their_url_and_guide(
    client: Client, workspace: Workspace, page: str, name: str, address: str
) -> None:
    url = reverse("compatible_api_guide", args=[workspace.slug, name])
    assert f'href="{url}"' in page
    assert f"<code>http://testserver{address}</code>" in page
    guide = client.get(url)
    assert guide["Content-Type"].startswith("text/html")
    assert body(client.get(url, {"as": "markdown"})).startswith("# ")


def test_an_unknown_guide_is_not_found(client: Client, workspace: Workspace) -> None:
    assert client.get(reverse("compatible_api_guide", args=[workspace.slug, "api"])).status_code == 404
