"""Two workspaces of one owner, and what people, programs, operators and the worker do in them.

Each act is one public operation, for an actor as the channels find them: a test may let any of them happen
in any order, or two at once.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

from django.contrib.auth.models import AnonymousUser

from editor.access import credentials, lookups, operators
from editor.access.actor import Actor
from editor.engine import execution, failover
from editor.engine.errors import JobEnded
from editor.errors import NotAuthenticated
from editor.models import LIVE, ApiKey, Approval, Job, Plan, Quote, Role, Status, User, Workspace
from editor.operations import (
    allowances,
    api_keys,
    approvals,
    deletions,
    jobs,
    members,
    outcomes,
    people,
    plans,
    quotes,
    workspace_settings,
)
from editor.operations.images import Stored
from editor.operations.jobs import NewEdit
from editor.providers.base import ErrorKind, ProviderError
from editor.queries import pricing
from tests.factories import UserFactory, make_provider_key, make_workspace
from tests.operations.months import ALLOW, UP_TO_30, Clock, plan

NANO = "google/gemini-nano-banana-2.1"  # by Google for 6 credits, by kie for 3
FLARE = "openai/gpt-image-2.6-flare"  # 5 credits an image, up to 4; the workspace has a key of its own too
PEOPLE = ("owner", "admin", "editor", "colleague")
KEYS = ("key", "workspace_key")  # the editor's, and one of the workspace
WHO = (*PEOPLE, *KEYS)
HOME, SECOND = 0, 1
PROMPT = "a quiet harbour"
DOWN = ProviderError(ErrorKind.UNAVAILABLE, "It is down.")


class Crash(BaseException):
    """The process ends here."""


@dataclass(frozen=True, kw_only=True)
class World:
    """It knows ids only: each act reads the rows anew, as a request does.

    families  of API keys: the first of those that replace one another
    """

    clock: Clock
    operator: User
    workspaces: tuple[UUID, UUID]
    plans: list[int]
    users: dict[str, UUID] = field(default_factory=dict)
    keys: dict[str, UUID] = field(default_factory=dict)
    families: dict[UUID, UUID] = field(default_factory=dict)

    def fork(self) -> World:
        """The same world, for a transaction that will be rolled back."""
        return replace(self, users=dict(self.users), keys=dict(self.keys), families=dict(self.families))

    # --- Who and what ------------------------------------------------------------------------

    def workspace(self, where: int = HOME) -> Workspace:
        return Workspace.objects.select_related("plan").get(pk=self.workspaces[where])

    def actor(self, who: str, where: int = HOME) -> Actor:
        """As the channels find them. Raises EditorError, for instance in a deleted workspace."""
        if who in KEYS:
            return credentials.actor_of(self.key(who), channel="api")
        user = User.objects.filter(pk=self.users[who]).first()
        return lookups.actor(user or AnonymousUser(), self.workspace(where).slug)

    def key(self, which: str) -> ApiKey:
        rows = ApiKey.objects.select_related("created_by", "workspace")
        key = rows.filter(pk=self.keys[which]).first()
        if key is None:
            raise NotAuthenticated("There is no such key.")
        return key

    def jobs(self, *statuses: str) -> list[Job]:
        found = Job.objects.filter(workspace__in=self.workspaces, status__in=statuses)
        return list(found.select_related("workspace").order_by("number"))

    def live(self) -> list[Job]:
        return self.jobs(*LIVE)

    def waiting(self) -> list[Job]:
        return self.jobs(Status.WAITING)

    def newest_quote(self, who: str) -> Quote | None:
        """Of the person, valid or not."""
        found = Quote.objects.filter(workspace=self.workspaces[HOME], user=self.actor(who).user, model=NANO)
        return found.order_by("-expires_at").first()

    # --- Edits -------------------------------------------------------------------------------

    def edit(
        self, who: str, *, where: int = HOME, samples: int = 0, own_key: bool = False, **fields: Any
    ) -> Job:
        """One image of NANO, or so many of FLARE."""
        request = NewEdit(
            prompt=PROMPT,
            model=FLARE if samples else NANO,
            provider="openai" if own_key else pricing.PLATFORM,
            inputs={"samples": samples} if samples else {},
            **fields,
        )
        return jobs.submit(actor=self.actor(who, where), request=request)

    def quote(self, who: str) -> Quote:
        actor = self.actor(who)
        choice = pricing.choose(workspace=actor.workspace, model=NANO)
        return quotes.create(actor=actor, choice=choice, inputs={})

    def run(self, job: Job) -> None:
        """The worker begins, or finds that a person canceled it."""
        execution._start(job.pk)

    def fail_over(self, job: Job) -> bool:
        with suppress(JobEnded):
            return failover.go_on(job=job, error=DOWN)
        return False

    def complete(self, job: Job, images: int) -> bool:
        return outcomes.end_completed(job=job, stored=results(images), seed=None)

    def fail(self, job: Job) -> None:
        outcomes.end_failed(job=job, code="unavailable", message="It is down.")

    def cancel(self, job: Job, who: str = "owner") -> None:
        where = self.workspaces.index(job.workspace_id)
        jobs.cancel(actor=self.actor(who, where), job=job)

    # --- Approvals ---------------------------------------------------------------------------

    def approve(self, job: Job, who: str, *, raise_cap: bool = False) -> int:
        """At the price that its card shows, which is returned."""
        price = Approval.objects.values_list("price", flat=True).get(job=job)
        approvals.approve(actor=self.actor(who), job=job, price=price, raise_cap=raise_cap)
        return price

    def decline(self, job: Job, who: str) -> None:
        approvals.decline(actor=self.actor(who), job=job, reason="not now")

    # --- Settings ----------------------------------------------------------------------------

    def limit_member(self, whose: str, **caps: int | None) -> None:
        actor = self.actor("owner")
        membership = lookups.membership(actor, self.users[whose])
        members.change(actor=actor, membership=membership, **caps)  # type: ignore[arg-type]

    def limit_key(self, which: str, monthly: int | None, daily: int | None) -> None:
        key, actor = self.key(which), self.actor("owner")
        api_keys.set_caps(actor=actor, key=key, monthly_cap=monthly, daily_cap=daily)

    def limit_workspace(
        self, monthly: int | None, daily: int | None, threshold: int | None, zone: str = ""
    ) -> None:
        actor = self.actor("owner")
        workspace_settings.set_limits(
            actor=actor,
            monthly_limit=monthly,
            daily_limit=daily,
            approval_threshold=threshold,
            time_zone=zone or actor.workspace.time_zone,
        )

    def change_plan(self, number: int, monthly_credits: int) -> None:
        row = Plan.objects.get(pk=self.plans[number])
        plans.change(actor=self.operator, plan=row, values={"monthly_credits": monthly_credits})

    def delete(self, where: int, *, crash: bool = False) -> None:
        """`crash`: before its edits are canceled, which another transaction does."""
        actor = self.actor("owner", where)
        cancel_jobs = mock.Mock(side_effect=Crash) if crash else deletions.cancel_jobs
        with mock.patch.object(deletions, "cancel_jobs", cancel_jobs), suppress(Crash):
            deletions.delete(actor=actor, name=actor.workspace.name)

    def restore(self, where: int) -> None:
        owner = User.objects.get(pk=self.users["owner"])
        actor = lookups.owner_of_deleted(owner, self.workspace(where).slug)
        deletions.restore(workspace=actor.workspace, actor=actor)

    # --- People ------------------------------------------------------------------------------

    def leave(self, who: str) -> None:
        actor = self.actor("owner")
        members.remove(actor=actor, membership=lookups.membership(actor, self.users[who]))

    def join(self, who: str, role: Role = Role.EDITOR) -> None:
        """Anew or again. The editor comes with a key of their own."""
        user = User.objects.get(pk=self.users[who])
        members.join(workspace=self.workspace(), user=user, role=role, actor=None)
        if who == "editor":
            self._note("key", api_keys.create(actor=self.actor(who), name="script")[0])

    def replace(self, who: str) -> None:
        """The account is deleted, and somebody else comes in their place."""
        people.remove(user=operators.person(self.users[who]), actor=self.operator)
        self.users[who] = UserFactory.create().pk
        self.join(who)

    def rotate(self, which: str) -> None:
        """The key's holder replaces it, or for that of the workspace an owner."""
        old = self.key(which)
        actor = self.actor("editor" if which == "key" else "owner")
        self._note(which, api_keys.rotate(actor=actor, key=old, overlap=0)[0], replaces=old)

    def _note(self, which: str, key: ApiKey, replaces: ApiKey | None = None) -> None:
        self.keys[which] = key.pk
        self.families[key.pk] = self.families[replaces.pk] if replaces else key.pk


def results(images: int) -> list[Stored]:
    """Images that a provider made, without files."""
    return [
        Stored(uuid4(), f"nowhere/{uuid4()}.png", "image/png", width=8, height=8, size=1)
        for _ in range(images)
    ]


def make_world(clock: Clock) -> World:
    """Both workspaces have a plan with monthly credits, and the first one limits that bind soon."""
    clock.at(11, 28)
    for provider in ("google", "kie", "openai"):
        make_provider_key(workspace=None, provider=provider)
    choice = [plan(0), plan(30), plan(20, **UP_TO_30), plan(40, **ALLOW)]
    operator = UserFactory.create(is_staff=True, is_superuser=True)
    owner = UserFactory.create()
    home, second = make_workspace(owner=owner, balance=40), make_workspace(owner=owner, balance=10)
    make_provider_key(workspace=home, provider="openai")
    world = World(
        clock=clock,
        operator=operator,
        workspaces=(home.pk, second.pk),
        plans=[one.pk for one in choice],
        users={"owner": owner.pk} | {who: UserFactory.create().pk for who in PEOPLE[1:]},
    )
    Workspace.objects.filter(pk__in=world.workspaces).update(plan=choice[1])
    allowances.renew_due()
    for who in PEOPLE[1:]:
        world.join(who, Role.ADMIN if who == "admin" else Role.EDITOR)
    key, _ = api_keys.create(actor=world.actor("owner"), name="nightly", of_workspace=True, monthly_cap=18)
    world._note("workspace_key", key)
    world.limit_member("editor", monthly_cap=24, daily_cap=15)
    world.limit_member("admin", monthly_cap=20)
    world.limit_key("key", 12, None)
    world.limit_workspace(45, 35, 9)
    return world
