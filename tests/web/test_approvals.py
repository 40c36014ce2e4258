"""The Approvals page, the inbox, and what the composer offers over a limit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from editor.contexts.mails import build
from editor.models import Approval, Job, Membership, Role, Status
from editor.operations import approval_notices, approvals, mails, queue
from tests.approvals import PRICE, PROMPT, Team, approval_of, ask, make_team
from tests.factories import make_actor, make_member
from tests.web.requests import HTMX, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team()


@pytest.fixture
def admin(team: Team) -> Client:
    return signed_in(team.admin.user)


def url(team: Team, name: str = "approvals", *parts: Any) -> str:
    return reverse(name, args=[team.workspace.slug, *parts])


def page(client: Client, team: Team, query: str = "") -> str:
    return " ".join(client.get(url(team) + query).content.decode().split())


def test_it_shows_what_waits_with_its_limit_and_its_reason(team: Team, admin: Client) -> None:
    ask(team.editor, "<b>tonight</b>")
    shown = page(admin, team)
    assert "1 edit waits for an admin. Together 4 credits." in shown
    assert "Approvals, 1 waiting" in shown
    assert PROMPT in shown
    assert "Monthly cap: 0 of 0 spent" in shown
    assert "“&lt;b&gt;tonight&lt;/b&gt;”" in shown
    assert "FLUX.1 Kontext [pro] · 1 image" in shown


def test_it_shows_prices_in_money_where_a_credit_has_one(team: Team, admin: Client, settings: Any) -> None:
    ask(team.editor)
    assert "≈" not in page(admin, team)
    settings.CREDIT_PRICE = Decimal("0.04")
    shown = page(admin, team)
    assert "Together 4 credits, ≈ $0.16." in shown
    assert '<p class="hint">≈ $0.16</p>' in shown


def test_editors_have_neither_the_page_nor_the_inbox(team: Team) -> None:
    client = signed_in(team.editor.user)
    assert client.get(url(team)).status_code == 403
    assert 'id="inbox"' not in client.get(url(team, "studio")).content.decode()


def test_edits_of_other_workspaces_are_not_found(team: Team, admin: Client) -> None:
    job = ask(make_team().editor)
    for name in ("approve", "decline"):
        answer = admin.post(url(team, name, job.pk), {"price": PRICE, "reason": "no"})
        assert answer.status_code == 404
    assert str(job.pk) not in page(admin, team)


def test_without_script_a_form_approves(team: Team, admin: Client) -> None:
    job = ask(team.editor)
    answer = admin.post(url(team, "approve", job.pk), {"price": PRICE, "raise_cap": "1"}, follow=True)
    assert "Approved. The edit runs now." in answer.content.decode()
    assert approval_of(job).job.status == Status.PENDING
    assert Membership.objects.get(pk=team.editor.membership.pk).monthly_cap == PRICE
    decided = page(admin, team, "?show=decided")
    assert f"{team.admin.user.display_name} approved it and raised the monthly cap by 4" in decided


def test_without_script_a_link_opens_the_form_to_decline(team: Team, admin: Client) -> None:
    job = ask(team.editor)
    assert 'name="reason"' not in page(admin, team)
    assert 'name="reason"' in page(admin, team, f"?decline={job.pk}")
    admin.post(url(team, "decline", job.pk), {"reason": "Too expensive"})
    assert approval_of(job).reason == "Too expensive"


def test_a_refusal_is_at_the_card_with_the_new_price(team: Team, admin: Client) -> None:
    job = ask(team.editor)
    answer = admin.post(url(team, "approve", job.pk), {"price": 1}, headers=HTMX)
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert shown.strip().startswith('<p class="problem"')
    assert "changed from 1 to 4 credits" in shown
    assert 'name="price" value="4"' in shown


@pytest.mark.parametrize("price", ["", "-1", "4.0", "٤", "9" * 30])
def test_a_price_that_is_none_is_refused(team: Team, admin: Client, price: str) -> None:
    job = ask(team.editor)
    assert admin.post(url(team, "approve", job.pk), {"price": price}).status_code == 400
    assert approval_of(job).state == "waiting"


def test_an_edit_of_ones_own_has_no_buttons(team: Team) -> None:
    Membership.objects.filter(pk=team.admin.membership.pk).update(monthly_cap=0)
    team.admin.membership.refresh_from_db()
    ask(team.admin)
    shown = page(signed_in(team.admin.user), team)
    assert "This is your own edit: another owner or admin decides." in shown
    assert 'name="price"' not in shown


def test_the_cap_is_offered_only_where_it_was_in_the_way(team: Team, admin: Client) -> None:
    ask(team.editor)
    assert "monthly cap by 4, to 4" in page(admin, team)
    Membership.objects.filter(pk=team.editor.membership.pk).update(monthly_cap=300)  # since then
    assert "monthly cap by 4, to 304" in page(admin, team)
    Membership.objects.filter(pk=team.editor.membership.pk).update(monthly_cap=None)
    assert "cap by 4" not in page(admin, team)
    other = make_team(cap=None, approval_threshold=1)
    ask(other.editor)
    shown = page(signed_in(other.admin.user), other)
    assert "Limit of one edit: 4 of 1 credit" in shown
    assert "cap by 4" not in shown


def test_a_daily_cap_is_raised_by_the_form() -> None:
    team = make_team(cap=300)
    Membership.objects.filter(pk=team.editor.membership.pk).update(daily_cap=3)
    job, admin = ask(make_actor(team.workspace, user=team.editor.user)), signed_in(team.admin.user)
    shown = page(admin, team)
    assert "Daily cap: 0 of 3 spent" in shown
    assert f"<bdi>{team.editor.user.display_name.split()[0]}</bdi>’s daily cap by 4, to 7" in shown
    admin.post(url(team, "approve", job.pk), {"price": PRICE, "raise_cap": "1"})
    row = Membership.objects.get(pk=team.editor.membership.pk)
    assert (row.monthly_cap, row.daily_cap) == (300, 7)
    assert "approved it and raised the daily cap by 4" in page(admin, team, "?show=decided")


def test_the_aside_shows_the_fullest_caps_first(team: Team, admin: Client) -> None:
    make_member(team.workspace, monthly_cap=300)
    shown = page(admin, team)
    assert "What binds today" in shown
    assert shown.index("<b>0</b> of 0") < shown.index("<b>0</b> of 300")


def quote(team: Team, client: Client, tier: str = "standard") -> str:
    answer = client.post(url(team, "quote"), {"tier": tier}, headers=HTMX)
    return " ".join(answer.content.decode().split())


def test_over_a_cap_the_composer_offers_to_ask() -> None:
    team = make_team(cap=3)
    shown = quote(team, signed_in(team.editor.user))
    assert "Ask for approval" in shown
    assert "and 3 credits of your" in shown
    assert "0 of 3" in shown
    assert "can let it run" in shown
    assert "Say why (optional)" in shown
    assert "FLUX.2 [klein] 9B · 2 credits" in shown or "· 2 credits" in shown  # what fits


def test_above_the_threshold_the_composer_offers_to_ask() -> None:
    team = make_team(cap=None, approval_threshold=3)
    editor = signed_in(team.editor.user)
    shown = quote(team, editor)
    assert "This costs 4 credits, and an edit over 3 needs an approval." in shown
    assert "Ask for approval" in shown
    assert "resets" not in shown
    refused = editor.post(url(team, "run"), {"prompt": PROMPT, "tier": "standard"}, headers=HTMX)
    words = "an edit that costs more than 3 credits needs an approval, and this one costs 4."
    assert (refused.status_code, words in refused.content.decode()) == (402, True)
    for client, tier in ((editor, "creative"), (signed_in(team.admin.user), "standard")):
        assert "Ask for approval" not in quote(team, client, tier)


def test_where_an_approval_does_not_help_the_composer_says_what_binds() -> None:
    team = make_team(monthly_limit=0)
    shown = quote(team, signed_in(team.editor.user))
    assert "Ask for approval" not in shown
    assert "the workspace’s" in shown
    assert "can raise it" in shown


def test_where_nobody_else_can_approve_it_is_not_offered() -> None:
    team = make_team()
    Membership.objects.filter(pk=team.owner.membership.pk).update(monthly_cap=0)
    Membership.objects.filter(pk=team.admin.membership.pk).update(role=Role.EDITOR)
    shown = quote(team, signed_in(team.owner.user))
    assert "Ask for approval" not in shown
    assert "you can change it in the settings" in shown


def test_the_studio_asks_with_the_form(team: Team) -> None:
    fields = {"prompt": PROMPT, "tier": "standard", "idempotency_key": "k", "approval_message": "tonight"}
    client = signed_in(team.editor.user)
    assert client.post(url(team, "run"), fields, headers=HTMX).status_code == 202
    assert Approval.objects.get().message == "tonight"
    shown = client.get(url(team, "studio")).content.decode()
    assert "Waiting for approval" in shown
    assert client.post(url(team, "cancel", Job.objects.get().pk), headers=HTMX).status_code == 204
    assert Job.objects.get().status == Status.CANCELED


def test_a_declined_edit_leads_back_to_its_prompt(team: Team, admin: Client) -> None:
    job = ask(team.editor)
    approvals.decline(actor=team.admin, job=job, reason="Too expensive. Wait.")
    shown = signed_in(team.editor.user).get(url(team, "studio")).content.decode()
    assert f"{team.admin.user.display_name} declined it: Too expensive. Wait." in shown
    assert f"?like={job.pk}" in shown
    assert "Nothing was charged." in shown
    assert "refunded" not in shown


def test_mails_go_to_those_who_want_them(team: Team, settings: Any) -> None:
    settings.SENDS_MAIL = True
    sent: list[tuple[str, str]] = []

    def note(*, kind: str, email: str, **more: Any) -> None:
        sent.append((kind, email))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queue, "enqueue_mail", note)
        signed_in(team.owner.user).post(reverse("account_mail"))
        job = ask(team.editor)
        approvals.approve(actor=team.admin, job=job, price=PRICE)
    assert sent == [
        ("approval_requested", team.admin.user.email),
        ("approval_answered", team.editor.user.email),
    ]
    assert mail.outbox == []


@pytest.mark.parametrize("kind", ["approval_requested", "approval_answered"])
def test_the_mails_say_what_it_is_about(team: Team, kind: str) -> None:
    job = ask(team.editor, "tonight")
    details = approval_notices.details(approval_of(job)) | {
        "state": "declined",
        "by": "Amara",
        "reason": "no",
    }
    to = team.admin if kind == "approval_requested" else team.editor
    message = build(kind=mails.Kind(kind), email=to.user.email, origin="https://a.test", details=details)
    assert message
    assert PROMPT in message.body
    assert "https://a.test/w/" in message.body
    if kind == "approval_requested":
        assert "> tonight" in message.body
        approvals.decline(actor=team.admin, job=job, reason="no")
        assert build(kind=mails.Kind(kind), email=to.user.email, origin="", details=details) is None
    else:
        assert "Amara declined it: no" in message.body
