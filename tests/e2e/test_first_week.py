"""A team's first week: its owner, who has never seen a shell, does all of it in the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import PASSWORD
from tests.e2e.team import (
    SLUG,
    WEEK,
    Team,
    add_passkey,
    call,
    choose,
    demand,
    download_log,
    invite,
    join,
    new_key,
    pending,
    row_of,
    run,
    set_cap,
    settings_of,
    team_portal,
)
from tests.e2e.test_accounts import authenticator, sign_in

AMARA, JONAS, MEI, TYPO = "amara@acme.test", "jonas@acme.test", "mei@acme.test", "mai@acme.test"
INVITED = "Amara Okafor invites you to Acme Studio"
EVERYBODY = ["General", "Members", "API keys", "Credits & usage", "Roles"]
MANAGERS = [*EVERYBODY[:3], "Providers", "Model rules", "Credits & usage", "Webhooks", "Audit log", "Roles"]
RUN = re.compile("^Run")


@pytest.fixture
def team(portals: Path, new_context: ContextMaker) -> Iterator[Team]:
    folder = portals / "first_week"
    folder.mkdir()
    with team_portal(folder, new_context) as team:
        yield team


def test_a_team_gets_through_its_first_week(team: Team, tmp_path: Path) -> None:
    amara, jonas, mei = team.browser(), team.browser(), team.browser()
    the_owner_signs_up_with_a_passkey(team, amara)
    a_provider_is_connected(team, amara)
    three_are_invited(team, amara)
    one_joins_by_the_copied_link(amara, jonas)
    one_joins_by_the_mailed_link(team, mei)
    the_invitation_to_a_wrong_address_is_revoked(team, amara)
    everyone_sees_what_their_role_may(team, amara, jonas, mei)
    the_studio_of_a_viewer_is_read_only(team, amara, mei)
    the_owner_watches_an_edit(team, amara, mei)
    a_cap_is_reached_and_raised(team, amara, mei)
    a_member_is_removed_in_mid_edit(team, amara, mei)
    ownership_is_handed_over(team, amara, jonas)
    the_removed_member_is_invited_again(team, jonas, mei)
    a_second_factor_is_demanded(team, jonas, mei)
    code = a_second_factor_is_set_up(team, mei)
    sessions_are_ended(team, mei, code)
    the_workspace_is_deleted_and_restored(team, jonas, mei)
    the_log_has_all_of_it(team, jonas, tmp_path)


def the_owner_signs_up_with_a_passkey(team: Team, amara: Page) -> None:
    authenticator(amara)
    amara.goto(team.portal.url)
    amara.get_by_label("Your name").fill("Amara Okafor")
    amara.get_by_label("Email").fill(AMARA)
    amara.get_by_label("Workspace name").fill("Acme Studio")
    amara.get_by_role("button", name="Use a passkey instead").click()


def a_provider_is_connected(team: Team, amara: Page) -> None:
    expect(amara.get_by_role("heading", name="Connect a model provider")).to_be_visible()
    amara.get_by_label("Key for Black Forest Labs", exact=True).fill(team.bfl.key)
    amara.get_by_role("button", name="Test the key for Black Forest Labs").click()
    expect(amara.locator("#setup-bfl").get_by_text("Connected")).to_be_visible()
    amara.get_by_role("button", name="Continue").click()


def three_are_invited(team: Team, amara: Page) -> None:
    expect(amara.get_by_role("heading", name="Invite your team")).to_be_visible()
    amara.get_by_role("link", name="Invite people").click()
    invite(amara, f"{JONAS}, {MEI} {TYPO}", 3, cap="4")
    for email in (JONAS, MEI, TYPO):
        expect(pending(amara, email)).to_contain_text("Editor · by Amara Okafor")
        assert team.mailed_link(email, INVITED).startswith(f"{team.portal.url}/invitations/")


def one_joins_by_the_copied_link(amara: Page, jonas: Page) -> None:
    pending(amara, JONAS).get_by_role("button", name="Copy link").click()
    expect(pending(amara, JONAS).get_by_text("Copied.")).to_be_visible()
    join(jonas, amara.evaluate("navigator.clipboard.readText()"), name="Jonas Weber")
    expect(jonas.get_by_role("button", name=RUN)).to_be_visible()
    expect(amara.get_by_label("Role of Jonas Weber")).to_have_value("editor")  # by the socket
    expect(pending(amara, JONAS)).to_have_count(0)


def one_joins_by_the_mailed_link(team: Team, mei: Page) -> None:
    join(mei, team.mailed_link(MEI, INVITED), name="Mei Tanaka")
    assert team.mailed(AMARA, "Mei Tanaka joined Acme Studio")


def the_invitation_to_a_wrong_address_is_revoked(team: Team, amara: Page) -> None:
    pending(amara, TYPO).get_by_role("button", name="Revoke").click()
    amara.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(amara.get_by_text("Nobody is invited.")).to_be_visible()
    stranger = team.browser()
    stranger.goto(team.mailed_link(TYPO, INVITED))
    expect(stranger.get_by_role("main")).to_contain_text("This invitation was revoked")
    expect(stranger.get_by_label("Password")).to_have_count(0)


def everyone_sees_what_their_role_may(team: Team, amara: Page, jonas: Page, mei: Page) -> None:
    assert settings_of(amara) == MANAGERS
    team.go(jonas, "settings/members/")
    assert settings_of(jonas) == EVERYBODY
    expect(jonas.get_by_role("button", name="Invite", exact=True)).to_have_count(0)
    expect(jonas.get_by_label(re.compile("^Role of"))).to_have_count(0)
    amara.get_by_label("Role of Jonas Weber").select_option("admin")
    expect(jonas.get_by_role("button", name="Invite", exact=True)).to_be_visible()  # without a reload
    assert settings_of(jonas) == MANAGERS
    expect(jonas.get_by_label("Role of Mei Tanaka")).to_be_visible()
    expect(jonas.get_by_label("Role of Amara Okafor")).to_have_count(0)
    jonas.get_by_label("More for Mei Tanaka").click()
    expect(jonas.get_by_role("button", name="Remove", exact=True)).to_be_visible()
    expect(jonas.get_by_role("button", name="Make owner", exact=True)).to_have_count(0)
    refused = team.go(mei).request.get(f"{team.portal.url}/w/{SLUG}/settings/audit/")
    assert (refused.status, "Only an owner or admin" in refused.text()) == (403, True)


def the_studio_of_a_viewer_is_read_only(team: Team, amara: Page, mei: Page) -> None:
    expect(mei.get_by_role("button", name=RUN)).to_be_visible()
    amara.get_by_label("Role of Mei Tanaka").select_option("viewer")
    expect(mei.locator(".view-only")).to_be_visible()
    expect(mei.get_by_role("button", name=RUN)).to_have_count(0)
    expect(mei.locator("input[type=file]")).to_have_count(0)
    expect(mei.get_by_label("What should change?")).to_have_count(0)
    assert team.mailed(MEI, "You are now Viewer of Acme Studio")
    amara.get_by_label("Role of Mei Tanaka").select_option("editor")
    expect(mei.get_by_role("button", name=RUN)).to_be_visible()


def the_owner_watches_an_edit(team: Team, amara: Page, mei: Page) -> None:
    mei.get_by_role("button", name="Coffee").click()
    expect(mei.get_by_text("Editing the original")).to_be_visible()
    source = mei.get_by_role("navigation", name="Versions").get_by_role("link").first
    amara.goto(urljoin(mei.url, source.get_attribute("href")))
    with team.portal.no_new_images():
        run(mei, "make it black and white")
        expect(amara.locator("#jobs article")).to_contain_text("make it black and white")
    expect(mei.get_by_text("Editing v2")).to_be_visible()
    expect(amara.get_by_role("navigation", name="Versions").get_by_role("link")).to_have_count(2)
    expect(amara.locator("#balance")).to_have_text("496")


def a_cap_is_reached_and_raised(team: Team, amara: Page, mei: Page) -> None:
    mei.get_by_label("What should change?").fill("make it warmer")
    expect(mei.get_by_text(re.compile(r"your \w+ cap is spent"))).to_be_visible()
    expect(mei.get_by_role("button", name="Ask for approval")).to_be_visible()
    team.go(amara, "settings/members/")
    expect(row_of(amara, "Mei Tanaka")).to_contain_text("4 of 4")
    expect(row_of(amara, "Mei Tanaka")).to_contain_text("Cap reached")
    set_cap(amara, "Mei Tanaka", "100")
    expect(row_of(amara, "Mei Tanaka")).to_contain_text("4 of 100")
    expect(amara.get_by_label("Cap of Mei Tanaka", exact=True)).to_be_hidden()
    expect(amara.get_by_label("Change cap of Mei Tanaka")).to_be_focused()
    expect(mei.get_by_role("button", name=RUN)).to_be_visible()  # by the socket
    mei.get_by_label("What should change?").press("Control+Enter")
    expect(mei.get_by_text("Editing v3")).to_be_visible()
    expect(row_of(amara, "Mei Tanaka")).to_contain_text("8 of 100")  # by the socket
    expect(amara.get_by_role("main")).to_contain_text("8 credits spent")


def a_member_is_removed_in_mid_edit(team: Team, amara: Page, mei: Page) -> None:
    key = new_key(team, mei)
    assert call(team, key).status_code == 200
    team.go(mei)
    with team.portal.no_new_images():
        run(mei, "add a white border")
        expect(mei.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()
        choose(amara, "Remove", member="Mei Tanaka")
        expect(mei.get_by_role("main")).to_contain_text("You are no longer a member of this workspace.")
        refused = call(team, key)
        assert refused.status_code == 401
        assert "no longer a member of its workspace" in refused.json()["error"]
    assert team.mailed(MEI, "You are no longer a member of Acme Studio")
    team.go(amara, "gallery/")
    expect(amara.locator("#grid > li").filter(has_text="add a white border")).to_be_visible()
    expect(amara.locator("#balance")).to_have_text("488")
    held = "SELECT balance, held FROM editor_creditaccount"
    assert team.portal.query(held) == [(488, 0)]


def ownership_is_handed_over(team: Team, amara: Page, jonas: Page) -> None:
    team.go(amara, "settings/members/")
    choose(amara, "Make owner", member="Jonas Weber")
    expect(row_of(amara, "Jonas Weber")).to_contain_text("Owner")
    assert team.mailed(JONAS, "You are now Owner of Acme Studio")
    amara.get_by_label("Role of Amara Okafor").select_option("admin")
    expect(amara.get_by_label("Role of Jonas Weber")).to_have_count(0)
    for page, number in ((amara, 0), (jonas, 1)):
        team.go(page, "settings/general/")
        expect(page.get_by_role("link", name="Delete workspace")).to_have_count(number)


def the_removed_member_is_invited_again(team: Team, jonas: Page, mei: Page) -> None:
    team.go(jonas, "settings/members/")
    invite(jonas, MEI, 1)
    mei.goto(team.mailed_link(MEI, "Jonas Weber invites you to Acme Studio"))
    mei.get_by_role("button", name="Join Acme Studio").click()
    expect(mei.get_by_role("button", name=RUN)).to_be_visible()


def a_second_factor_is_demanded(team: Team, jonas: Page, mei: Page) -> None:
    demand(team, jonas)
    expect(jonas.get_by_text("Set up a second factor of your own first")).to_be_visible()
    jonas.get_by_role("main").get_by_role("link", name="Your account").click()
    expect(jonas.get_by_text("Not confirmed")).to_be_visible()  # anybody could have the copied link
    with jonas.expect_navigation():
        jonas.get_by_role("button", name="Send link").click()
    jonas.goto(team.mailed_link(JONAS, "Confirm your email for Atelier"))
    jonas.get_by_role("button", name="Confirm").click()
    expect(jonas.get_by_text("Confirmed", exact=True)).to_be_visible()
    authenticator(jonas)
    add_passkey(jonas)
    demand(team, jonas)
    expect(mei.get_by_role("main")).to_contain_text("demands a second factor")
    team.go(jonas, "settings/members/")
    expect(row_of(jonas, "Mei Tanaka")).to_contain_text("No second factor")


def a_second_factor_is_set_up(team: Team, mei: Page) -> str:
    """Returns a recovery code."""
    team.go(mei)
    expect(mei.get_by_text("Acme Studio can be used only with a second factor")).to_be_visible()
    expect(mei.get_by_text("Confirmed", exact=True)).to_be_visible()  # by the link in the mail
    authenticator(mei)
    code = add_passkey(mei)
    expect(team.go(mei).get_by_role("button", name=RUN)).to_be_visible()
    assert team.mailed(MEI, "Your Atelier second factor was changed")
    return code


def sessions_are_ended(team: Team, mei: Page, code: str) -> None:
    elsewhere = team.browser()
    sign_in(elsewhere, team.portal, MEI)
    elsewhere.get_by_role("textbox", name="Code").fill(code)
    elsewhere.get_by_role("button", name="Sign in", exact=True).click()
    expect(elsewhere.get_by_role("button", name=RUN)).to_be_visible()
    assert team.mailed(MEI, "New sign-in to your Atelier account")
    mei.goto(f"{team.portal.url}/accounts/")
    mei.get_by_role("button", name="Sign out everywhere").click()
    mei.get_by_role("dialog").get_by_label("Password").fill(PASSWORD)
    mei.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(elsewhere.get_by_role("main").get_by_text("You are signed out")).to_be_visible()
    expect(mei.get_by_role("region", name="Sessions").get_by_role("listitem")).to_have_count(1)


def the_workspace_is_deleted_and_restored(team: Team, jonas: Page, mei: Page) -> None:
    expect(team.go(mei).get_by_role("button", name=RUN)).to_be_visible()
    team.go(jonas, "settings/general/").get_by_role("link", name="Delete workspace").click()
    jonas.get_by_label("Type the name").fill("Acme")
    jonas.get_by_role("button", name="Delete workspace").click()
    expect(jonas.get_by_text("This is not the name")).to_be_visible()
    jonas.get_by_label("Type the name").fill("Acme Studio")
    jonas.get_by_role("button", name="Delete workspace").click()
    expect(mei.get_by_role("main")).to_contain_text("“Acme Studio” was deleted.")
    jonas.get_by_role("button", name="Restore Acme Studio").click()
    expect(jonas.get_by_role("heading", name="Danger zone")).to_be_visible()
    expect(team.go(mei).get_by_role("button", name=RUN)).to_be_visible()


def the_log_has_all_of_it(team: Team, jonas: Page, folder: Path) -> None:
    team.go(jonas, "settings/audit/")
    week = WEEK.format(last_four=team.bfl.key[-4:]).strip().splitlines()
    expect(jonas.locator(".audit tbody tr")).to_have_count(len(week) - 1)
    rows = download_log(jonas, folder)
    assert [re.sub(r" \(\w{8}\)”", "”", f"{row['Who']}: {row['What']}") for row in rows] == week
    assert {row["From"] for row in rows} == {"127.0.0.1"}
    jonas.reload()
    expect(jonas.locator(".audit tbody tr").first).to_contain_text("Downloaded the audit log as CSV")
