"""A portal with a mail server and a provider, and what the people of a team do in their browsers."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import PASSWORD, Portal
from tests.emulators.bfl import Bfl
from tests.patience import PATIENCE, wait_until
from tests.smtp_server import SmtpServer

SLUG = "acme-studio"
# Who did what in the week that test_first_week.py plays, in the words of the audit log.
WEEK = """
Amara Okafor (operator): Created workspace “Acme Studio”
Amara Okafor (operator): Granted 500 credits: Starting credits
Amara Okafor: Signed in
Amara Okafor: Saved provider key bfl ··· {last_four}
Amara Okafor: Invited Jonas Weber
Amara Okafor: Invited Mei Tanaka
Amara Okafor: Invited mai@acme.test
Jonas Weber: Added Jonas Weber
Jonas Weber: Accepted the invitation for Jonas Weber
Jonas Weber: Signed in
Mei Tanaka: Added Mei Tanaka
Mei Tanaka: Accepted the invitation for Mei Tanaka
Mei Tanaka: Signed in
Amara Okafor: Revoked the invitation of mai@acme.test
Amara Okafor: Changed role of Jonas Weber: Editor → Admin
Amara Okafor: Changed role of Mei Tanaka: Editor → Viewer
Amara Okafor: Changed role of Mei Tanaka: Viewer → Editor
Amara Okafor: Changed monthly cap of Mei Tanaka: 4 → 100
Mei Tanaka: Created API key “n8n”
Amara Okafor: Removed Mei Tanaka
Amara Okafor: Revoked API key “n8n”
Amara Okafor: Changed role of Jonas Weber: Admin → Owner
Amara Okafor: Changed role of Amara Okafor: Owner → Admin
Jonas Weber: Invited Mei Tanaka
Mei Tanaka: Added Mei Tanaka
Mei Tanaka: Accepted the invitation for Mei Tanaka
Jonas Weber: Added a second factor to the account of Jonas Weber: Passkey
Jonas Weber: Changed who needs a second factor: second factor required no → yes
Mei Tanaka: Added a second factor to the account of Mei Tanaka: Passkey
Mei Tanaka: Signed in
Mei Tanaka: Ended sessions of Mei Tanaka
Jonas Weber: Deleted workspace “Acme Studio”
Jonas Weber: Restored workspace “Acme Studio”
Jonas Weber: Downloaded the audit log as CSV
"""


@dataclass(frozen=True)
class Team:
    """`mails`: what the portal has sent. `bfl`: the provider whose key the owner has."""

    portal: Portal
    mails: SmtpServer
    bfl: Bfl
    new_context: ContextMaker

    def browser(self, **options: object) -> Page:
        page = self.new_context(**options)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        return page

    def go(self, page: Page, path: str = "") -> Page:
        """Open a page of the workspace."""
        page.goto(f"{self.portal.url}/w/{SLUG}/{path}")
        return page

    def mailed(self, to: str, subject: str) -> str:
        """Wait for the newest mail to this address with this subject, and return its text."""

        def find() -> str:
            for mail in reversed(self.mails.mails):
                if (mail["To"], mail["Subject"]) == (to, subject):
                    text = mail.get_body(("plain",))
                    return text.get_content() if text else ""
            return ""

        return wait_until(find, otherwise=lambda: f"only {self.subjects()}: {self.portal.log.read_text()}")

    def mailed_link(self, to: str, subject: str) -> str:
        found = re.search(r"http\S+/\w+/\S+", self.mailed(to, subject))
        assert found
        return found[0]

    def subjects(self) -> list[tuple[str, str]]:
        """Address and subject of each mail."""
        return [(mail["To"], mail["Subject"]) for mail in self.mails.mails]


@contextmanager
def team_portal(folder: Path, new_context: ContextMaker) -> Iterator[Team]:
    """A new portal at localhost, where browsers allow passkeys, whose BASE_URL is where it is."""
    with SmtpServer() as mails, Bfl() as bfl:
        portal = Portal(
            folder,
            EMAIL_URL=f"smtp://127.0.0.1:{mails.port}",
            OUTBOUND_ALLOW="127.0.0.0/8",
            BFL_BASE_URL=bfl.url,
        )
        portal.url = portal.environment["BASE_URL"] = f"http://localhost:{portal.port}"
        portal.start()
        try:
            yield Team(portal, mails, bfl, new_context)
        finally:
            for context in new_context.contexts:  # before their portal ends
                for page in context.pages:
                    page.goto("about:blank")
            portal.remove()


def join(page: Page, link: str, *, name: str) -> None:
    """Create the account that an invitation is for."""
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join Acme Studio").click()
    page.wait_for_url(re.compile(f"/w/{SLUG}/$"))


def invite(page: Page, addresses: str, number: int, *, role: str = "Editor", cap: str = "") -> None:
    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_label("Email addresses").fill(addresses)
    page.get_by_role("radio", name=role).check()
    page.get_by_role("textbox", name="Monthly cap").fill(cap)
    word = "invitation" if number == 1 else "invitations"
    page.get_by_role("button", name=f"Send {number} {word}").click()
    expect(page.get_by_role("heading", name=f"{number} {word} sent")).to_be_visible()
    page.get_by_role("button", name="Done").click()


def row_of(page: Page, name: str) -> Locator:
    """A member's row."""
    return page.get_by_role("row").filter(has=page.get_by_text(name, exact=True))


def pending(page: Page, email: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_text(email, exact=True))


def set_cap(page: Page, name: str, cap: str) -> None:
    page.get_by_label(f"Change cap of {name}").click()
    page.get_by_label(f"Cap of {name}", exact=True).fill(cap)
    page.keyboard.press("Enter")


def choose(page: Page, act: str, *, member: str) -> None:
    """An entry of a member's menu that asks first."""
    page.get_by_label(f"More for {member}").click()
    page.get_by_role("button", name=act, exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=act, exact=True).click()


def settings_of(page: Page) -> list[str]:
    """The pages that the settings offer."""
    links = page.get_by_role("navigation", name="Settings").get_by_role("link")
    expect(links.first).to_be_visible()
    return [text.strip() for text in links.all_inner_texts()]


def add_passkey(page: Page) -> str:
    """On the account page; returns a recovery code."""
    page.get_by_role("link", name="Add passkey").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return page.get_by_role("list", name="Recovery codes").get_by_role("listitem").first.inner_text()


def download_log(page: Page, folder: Path) -> list[dict[str, str]]:
    """The rows of the audit log's CSV file, the oldest first."""
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    file = folder / started.value.suggested_filename
    started.value.save_as(file)
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))[::-1]


def run(page: Page, prompt: str) -> None:
    page.get_by_label("What should change?").fill(prompt)
    page.get_by_label("What should change?").press("Control+Enter")


def call(team: Team, key: str) -> httpx.Response:
    """List the workspace's edits with an API key."""
    url, headers = f"{team.portal.url}/api/v1/image-editor/jobs", {"Authorization": f"Bearer {key}"}
    return httpx.get(url, headers=headers, timeout=PATIENCE)


def new_key(team: Team, page: Page) -> str:
    """Create a key with the name n8n, and return it."""
    team.go(page, "settings/api-keys/").get_by_label("Name").fill("n8n")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("heading", name="Key “n8n” created")).to_be_visible()
    return page.locator("#made-key-text").inner_text()


def demand(team: Team, page: Page) -> None:
    """Require a second factor of all members."""
    team.go(page, "settings/general/").get_by_label("Require a second factor").check()
    page.get_by_role("button", name="Save security").click()
