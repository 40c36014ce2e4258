"""What operators do is recorded with before and after, and nobody else can do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from asgiref.sync import async_to_sync
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.errors import Conflict, InvalidInput, LimitExceeded, NotFound, Unprocessable
from editor.models import (
    AuditEntry,
    LedgerEntry,
    Membership,
    ModelSetting,
    Plan,
    ProviderKey,
    Role,
    RouteSetting,
    User,
    Workspace,
)
from editor.operations import (
    credits,
    mails,
    offers,
    people,
    plans,
    portal_keys,
    second_factors,
    sessions,
    workspaces,
)
from editor.providers.base import ErrorKind, ProviderError
from tests import fake_providers
from tests.factories import PASSWORD, UserFactory, make_workspace
from tests.fake_providers import KEY, FakeProvider

pytestmark = pytest.mark.django_db

KONTEXT = "black-forest-labs/flux-kontext-pro"
PLAN = {
    "name": "Agency",
    "monthly_credits": 2_000,
    "rollover": "up_to",
    "rollover_limit": 500,
    "requests_per_minute": 60,
    "concurrent_jobs": 10,
    "storage_bytes": None,
    "seats": 5,
    "own_keys": True,
    "is_default": False,
}


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.test", PASSWORD, name="Ada")


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(balance=100)


def last(action: str) -> tuple[Any, ...]:
    entry = AuditEntry.objects.filter(action=action).latest("pk")
    return entry.actor_kind, entry.before, entry.after


# --- Credits ---------------------------------------------------------------------------------


def test_credits_are_given_and_taken_back_with_a_reason(operator: User, workspace: Workspace) -> None:
    credits.give(workspace=workspace, amount=50, actor=operator, reason="  Invoice 7 \n paid ")
    assert last("credits.granted") == ("operator", {"balance": 100}, {"balance": 150})
    credits.give(workspace=workspace, amount=-30, actor=operator, reason="Counted twice")
    assert last("credits.adjusted") == ("operator", {"balance": 150}, {"balance": 120})
    rows = LedgerEntry.objects.order_by("-pk").values_list("kind", "amount", "note", "actor")[:2]
    assert list(rows) == [
        ("adjust", -30, "Counted twice", operator.pk),
        ("grant", 50, "Invoice 7 paid", operator.pk),
    ]


@pytest.mark.parametrize(
    ("amount", "reason"),
    [(50, ""), (50, " \n "), (50, "x" * 201), (0, "nothing"), (-101, "too much"), (10**10, "too much")],
)
def test_credits_that_cannot_be_given(operator: User, workspace: Workspace, amount: int, reason: str) -> None:
    with pytest.raises(InvalidInput):
        credits.give(workspace=workspace, amount=amount, actor=operator, reason=reason)
    workspace.credit_account.refresh_from_db()
    assert workspace.credit_account.balance == 100


# --- Plans and workspaces --------------------------------------------------------------------


def test_a_workspace_for_somebody_with_an_account(operator: User) -> None:
    owner, plan = UserFactory.create(), plans.change(actor=operator, plan=Plan(), values=PLAN)
    made = workspaces.create_for(
        actor=operator, name="Press", email=f" {owner.email.upper()} ", plan=plan, origin=""
    )
    assert (made.plan, Membership.objects.get(workspace=made).user) == (plan, owner)
    assert Membership.objects.get(workspace=made).role == Role.OWNER
    assert last("workspace.created")[0] == "operator"
    assert not ProcrastinateJob.objects.filter(queue_name="mails").exists()


def test_a_workspace_for_a_new_address_mails_a_link_for_the_password(operator: User) -> None:
    plan = Plan.objects.get(is_default=True)
    made = workspaces.create_for(
        actor=operator, name="Press", email="new@example.test", plan=plan, origin="https://portal.example"
    )
    owner = made.members.get()
    assert (owner.email, owner.has_usable_password(), owner.is_staff) == ("new@example.test", False, False)
    mail = ProcrastinateJob.objects.get(queue_name="mails")
    assert (mail.args["kind"], mail.args["email"]) == ("reset", "new@example.test")
    assert AuditEntry.objects.filter(action="account.created", target="new@example.test").exists()


def test_a_workspace_needs_a_name_an_address_and_an_active_owner(operator: User) -> None:
    plan = Plan.objects.get(is_default=True)
    gone = UserFactory.create(is_active=False)
    cases: list[tuple[str, str, type[Exception]]] = [
        ("", "new@example.test", InvalidInput),
        ("Press", "nobody", InvalidInput),
        ("Press", gone.email, Conflict),
    ]
    people_before = User.objects.count()
    for name, email, error in cases:
        with pytest.raises(error):
            workspaces.create_for(actor=operator, name=name, email=email, plan=plan, origin="")
    assert (Workspace.objects.count(), User.objects.count()) == (0, people_before)


# --- People ----------------------------------------------------------------------------------


def test_an_account_is_disabled_and_enabled(operator: User, workspace: Workspace) -> None:
    person = workspace.members.get()
    for active in (False, False, True):
        people.set_active(user=person, actor=operator, active=active)
        person.refresh_from_db()
        assert person.is_active == active
    assert last("account.disabled") == ("operator", {"is_active": True}, {"is_active": False})
    assert last("account.enabled") == ("operator", {"is_active": False}, {"is_active": True})
    assert AuditEntry.objects.filter(action="account.disabled").count() == 1


def test_operators_cannot_disable_themselves(operator: User) -> None:
    with pytest.raises(Conflict):
        people.set_active(user=operator, actor=operator, active=False)
    operator.refresh_from_db()
    assert operator.is_active


# --- Models and routes -----------------------------------------------------------------------


def test_a_model_is_changed_and_a_decision_that_says_nothing_leaves_no_row(operator: User) -> None:
    day = timezone.now().date() + timedelta(days=9)
    offers.set_model(actor=operator, model=KONTEXT, enabled=False, credits=9, retires_on=day)
    assert last("model.changed") == (
        "operator",
        {"enabled": True, "credits": None, "retires_on": None},
        {"enabled": False, "credits": 9, "retires_on": day.isoformat()},
    )
    offers.set_model(actor=operator, model=KONTEXT, enabled=True, credits=None, retires_on=None)
    assert not ModelSetting.objects.exists()
    offers.set_model(actor=operator, model=KONTEXT, enabled=True, credits=None, retires_on=None)
    assert AuditEntry.objects.filter(action="model.changed").count() == 2


def test_a_workspaces_own_price_is_in_its_own_log(operator: User, workspace: Workspace) -> None:
    offers.set_price(actor=operator, model=KONTEXT, workspace=workspace, credits=2)
    entry = AuditEntry.objects.get(action="model.price_changed")
    assert (entry.workspace, entry.before, entry.after) == (workspace, {"credits": None}, {"credits": 2})


@pytest.mark.parametrize("price", [-1, 1_000_001])
def test_a_price_out_of_range_is_refused(operator: User, workspace: Workspace, price: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        offers.set_price(actor=operator, model=KONTEXT, workspace=workspace, credits=price)
    assert set(caught.value.fields) == {"credits"}
    with pytest.raises(InvalidInput):
        offers.set_model(actor=operator, model="no/model", enabled=True, credits=1, retires_on=None)
    assert not ModelSetting.objects.exists()


@pytest.mark.parametrize("model", ["", KONTEXT])
def test_a_route_is_switched_off_and_on(operator: User, model: str) -> None:
    for _ in range(2):
        offers.switch_route(actor=operator, provider="bfl", model=model, on=False, reason="It fails")
    assert last("route.disabled") == ("operator", {"enabled": True}, {"enabled": False})
    assert RouteSetting.objects.get().reason == "It fails"
    for _ in range(2):
        offers.switch_route(actor=operator, provider="bfl", model=model, on=True)
    assert last("route.enabled") == ("operator", {"enabled": False}, {"enabled": True})
    assert not RouteSetting.objects.exists()
    assert AuditEntry.objects.filter(action__startswith="route.").count() == 2


def test_a_route_that_does_not_exist_and_one_without_a_reason(operator: User) -> None:
    for provider, model in (("nobody", ""), ("bfl", "no/model"), ("google", KONTEXT)):
        with pytest.raises(NotFound):
            offers.switch_route(actor=operator, provider=provider, model=model, on=False, reason="x")
    with pytest.raises(InvalidInput):
        offers.switch_route(actor=operator, provider="bfl", model="", on=False, reason=" ")
    assert not RouteSetting.objects.exists()


# --- The portal's keys, and mail -------------------------------------------------------------


@pytest.fixture
def bfl(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    return fake_providers.install(monkeypatch)["bfl"]


@pytest.mark.django_db(transaction=True)
def test_the_portals_key_is_saved_tested_and_removed(
    bfl: FakeProvider, operator: User, committed: None
) -> None:
    key = async_to_sync(portal_keys.save_and_test)(actor=operator, provider="bfl", key=KEY)
    assert last("provider_key.saved") == ("operator", {"last_four": None}, {"last_four": KEY[-4:]})
    assert (key.workspace, key.note) == (None, "Credits left: 100")
    bfl.answer = ProviderError(ErrorKind.AUTH, "No")
    verdict = async_to_sync(portal_keys.test)(actor=operator, key=key)
    key.refresh_from_db()
    assert (verdict.accepted, key.checked_at) == (False, None)
    with pytest.raises(InvalidInput):
        async_to_sync(portal_keys.save_and_test)(actor=operator, provider="bfl", key=KEY + "1")
    for _ in range(2):
        portal_keys.remove(actor=operator, key=key)
    assert not ProviderKey.objects.exists()
    actions = AuditEntry.objects.filter(action__startswith="provider_key.").values_list("action", flat=True)
    assert sorted(actions) == ["provider_key.removed", "provider_key.saved", "provider_key.tested"]
    assert KEY not in str(list(AuditEntry.objects.values()))


def test_the_mail_server_is_tested(operator: User, settings: Settings) -> None:
    settings.SENDS_MAIL = False
    with pytest.raises(Unprocessable):
        mails.send_test(actor=operator, email="me@example.test")
    settings.SENDS_MAIL = True
    mails.send_test(actor=operator, email="me@example.test")
    assert ProcrastinateJob.objects.get(queue_name="mails").args["email"] == "me@example.test"
    assert AuditEntry.objects.filter(action="mail.tested", target="me@example.test").count() == 1
    with pytest.raises(LimitExceeded):
        for _ in range(100):
            mails.send_test(actor=operator, email="me@example.test")


# --- Nobody else -----------------------------------------------------------------------------

ACTS: dict[str, Callable[[User, Workspace], Any]] = {
    "credits": lambda who, place: credits.give(workspace=place, amount=5, actor=who, reason="x"),
    "plan": lambda who, place: plans.change(actor=who, plan=Plan(), values=PLAN),
    "workspace": lambda who, place: workspaces.create_for(
        actor=who, name="x", email="x@example.test", plan=place.plan, origin=""
    ),
    "its plan": lambda who, place: workspaces.set_plan(actor=who, workspace=place, plan=place.plan),
    "suspend": lambda who, place: workspaces.suspend(actor=who, workspace=place, reason="x"),
    "resume": lambda who, place: workspaces.resume(actor=who, workspace=place, reason="x"),
    "person": lambda who, place: people.set_active(user=place.members.get(), actor=who, active=False),
    "model": lambda who, place: offers.set_model(
        actor=who, model=KONTEXT, enabled=False, credits=None, retires_on=None
    ),
    "price": lambda who, place: offers.set_price(actor=who, model=KONTEXT, workspace=place, credits=1),
    "route": lambda who, place: offers.switch_route(
        actor=who, provider="bfl", model="", on=False, reason="x"
    ),
    "key": lambda who, place: portal_keys.remove(actor=who, key=ProviderKey()),
    "sessions": lambda who, place: sessions.end_all(user=place.members.get(), actor=who),
    "second factor": lambda who, place: second_factors.reset(user=place.members.get(), actor=who),
    "mail": lambda who, place: mails.send_test(actor=who, email="x@example.test"),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("rights", [{}, {"is_staff": True}, {"is_superuser": True}])
def test_others_can_do_none_of_it(workspace: Workspace, act: str, rights: dict[str, bool]) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(NotFound):
        ACTS[act](UserFactory.create(**rights), workspace)
    assert AuditEntry.objects.count() == before


def test_people_end_their_own_sessions(workspace: Workspace) -> None:
    person = workspace.members.get()
    UserSession.objects.create(user=person, ip="192.0.2.1", user_agent="x", session_key="s" * 32)
    sessions.end_all(user=person, actor=person)
    assert not UserSession.objects.exists()


def test_nobody_else_resets_a_factor(workspace: Workspace) -> None:
    person = workspace.members.get()
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": "x"})
    for who in (person, UserFactory.create(), UserFactory.create(is_staff=True)):
        with pytest.raises(NotFound):
            second_factors.reset(user=person, actor=who)
    assert Authenticator.objects.count() == 1


def test_resetting_a_factor_is_recorded(operator: User, workspace: Workspace) -> None:
    person = workspace.members.get()
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": "x"})
    second_factors.reset(user=person, actor=operator)
    assert not Authenticator.objects.exists()
    assert last("account.second_factor_reset")[0] == "operator"
