"""The books of a world, kept anew from the ledger's entries, and compared with all that the portal says.

Who an edit counts for, when, and whether it was approved is noted when its hold is first seen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils import timezone

from editor.access.actor import Actor
from editor.models import (
    LIVE,
    ApiKey,
    Approval,
    CreditAccount,
    DailyUsage,
    Job,
    LedgerEntry,
    Membership,
    Role,
    Status,
    Workspace,
)
from editor.operations import api_keys
from editor.queries import approvals, limits, members, proof
from editor.queries.limits import Kind
from tests.operations.ledger.world import World

Entry = LedgerEntry.Kind
GIVEN = {Entry.GRANT, Entry.ADJUST, Entry.ALLOWANCE, Entry.EXPIRE, Entry.TRANSFER}
Caps = dict[tuple[str, Any], int | None]  # what each limit allows, by its kind and whose it is


@dataclass(slots=True)
class Spent:
    """What one edit holds or was charged. `returned`: at its end."""

    job: UUID
    person: UUID | None
    key: UUID | None
    family: UUID | None
    approved: bool
    day: date
    price: int
    net: int
    returned: int = 0
    ended: bool = False


class Books:
    """`check` compares everything; it is called after each step, or each pair of simultaneous ones."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.days: dict[UUID, date] = {}  # of each edit that held credits
        self.people: set[UUID] = set()  # who ever acted
        self.seen: dict[UUID, list[Any]] = {}
        self.caps: Caps = self._caps()
        self.check()

    def check(self) -> None:
        caps = self._caps()
        given = 0
        for pk in self.world.workspaces:
            workspace = Workspace.objects.select_related("plan").get(pk=pk)
            entries = list(LedgerEntry.objects.filter(account=pk).order_by("id"))
            given += sum(entry.amount for entry in entries if entry.kind == Entry.TRANSFER)
            if not self._changed(workspace, entries):
                continue
            self._check_entries(pk, entries)
            self._check_months(entries)
            started = self._spent(workspace, entries)
            spent = list(started.values())
            self._check_edits(workspace, started)
            self._check_usage(workspace, spent)
            self._check_counters(workspace, spent)
            for one in spent:
                if one.job not in self.days:
                    self.days[one.job] = one.day
                    self._check_allowed(workspace, one, spent, caps)
            *_, last = proof.run(workspace)
            assert last.problem == ""
        assert given == 0, "what one workspace sends, the other one gets"
        self.caps = caps

    def _changed(self, workspace: Workspace, entries: list[LedgerEntry]) -> bool:
        """Whether anything that is compared has changed since the last check."""
        edits = Job.objects.filter(workspace=workspace).order_by("pk")
        usage = DailyUsage.objects.filter(account=workspace.pk).order_by("pk")
        account = CreditAccount.objects.filter(pk=workspace.pk)
        now = [
            _today(workspace),
            len(entries),
            *(
                list(rows.values_list())
                for rows in (edits, usage, account, workspace.memberships.order_by("pk"))
            ),
        ]
        before, self.seen[workspace.pk] = self.seen.get(workspace.pk), now
        return now != before

    # --- The ledger --------------------------------------------------------------------------

    def _check_entries(self, pk: UUID, entries: list[LedgerEntry]) -> None:
        balance = held = 0
        for entry in entries:
            balance, held = balance + entry.amount, held + entry.held_amount
            assert (entry.balance_after, entry.held_after) == (balance, held)
            assert min(balance, held) >= 0
            assert (entry.kind in GIVEN) == (entry.job_id is None)
        account = CreditAccount.objects.get(pk=pk)
        assert (account.balance, account.held) == (balance, held)

    def _check_months(self, entries: list[LedgerEntry]) -> None:
        """Once a month, and what expires was monthly: edits take monthly credits first."""
        given = [entry.period for entry in entries if entry.kind == Entry.ALLOWANCE and entry.period]
        assert given == sorted(set(given)), "once a month, and never for one before"
        monthly = 0
        taken: dict[UUID, int] = {}  # by edit: credits that were not monthly
        for entry in entries:
            if entry.kind in (Entry.ALLOWANCE, Entry.EXPIRE):
                monthly += entry.amount
                assert monthly >= 0, "only monthly credits expire"
            elif entry.kind == Entry.HOLD and entry.job_id:
                first = min(monthly, -entry.amount)
                monthly -= first
                taken[entry.job_id] = -entry.amount - first
            elif entry.job_id:
                monthly += max(0, entry.amount - taken[entry.job_id])

    def _spent(self, workspace: Workspace, entries: list[LedgerEntry]) -> dict[UUID, Spent]:
        granted = Approval.objects.filter(workspace=workspace, state=Approval.State.GRANTED)
        approved = set(granted.values_list("job", flat=True))
        keys = set(ApiKey.objects.values_list("pk", flat=True))
        found: dict[UUID, Spent] = {}
        for entry in entries:
            if entry.kind == Entry.HOLD and entry.job_id:
                assert entry.job_id not in found
                found[entry.job_id] = Spent(
                    job=entry.job_id,
                    person=entry.actor_id,
                    key=entry.key if entry.key in keys else None,  # those of deleted people are too
                    family=self.world.families[entry.key] if entry.key in keys else None,
                    approved=entry.job_id in approved,
                    day=self.days.get(entry.job_id) or _today(workspace),
                    price=entry.held_amount,
                    net=entry.held_amount,
                )
            elif entry.job_id:
                one = found[entry.job_id]
                assert not one.ended, "a hold ends once"
                assert entry.held_amount == -one.price
                one.net, one.returned, one.ended = one.price - entry.amount, entry.amount, True
        return found

    # --- Edits and days ----------------------------------------------------------------------

    def _check_edits(self, workspace: Workspace, started: dict[UUID, Spent]) -> None:
        for job in Job.objects.filter(workspace=workspace).select_related("approval"):
            approval = getattr(job, "approval", None)
            assert job.approved == bool(approval and approval.state == Approval.State.GRANTED)
            assert (job.status == Status.WAITING) == bool(
                approval and approval.state == Approval.State.WAITING
            )
            one = started.get(job.pk)
            runs = job.status in LIVE
            if one is None:
                refused = approval is not None and not job.approved
                assert refused or job.price == 0, "what started holds its price"
                assert job.charged == 0
                continue
            assert job.approved or approval is None, "nothing is held for what was not approved"
            assert (one.price, one.ended, one.day) == (job.price, not runs, job.spent_on)
            assert one.net == (job.price if runs else job.charged)
            assert runs or job.status == Status.COMPLETED or one.net == 0

    def _check_usage(self, workspace: Workspace, spent: list[Spent]) -> None:
        rows = DailyUsage.objects.filter(account=workspace.pk)
        added: Counter[Any] = Counter()
        for row in rows:
            who = (row.day, row.user_id, row.api_key_id, row.approved)
            added[*who, "charged"] += row.credits
            added[*who, "returned"] += row.returned
        anew: Counter[Any] = Counter()
        for one in spent:
            if one.ended:
                who = (one.day, one.person, one.key, one.approved)
                anew[*who, "charged"] += one.net
                anew[*who, "returned"] += one.returned
        assert +added == +anew
        ended = Job.objects.filter(workspace=workspace).exclude(status__in=[*LIVE, Status.WAITING])
        ended = ended.exclude(approval__isnull=False, approved=False)
        done = ended.filter(status=Status.COMPLETED).count()
        sums = rows.aggregate(edits=Sum("edits", default=0), failed=Sum("failed", default=0))
        assert sums == {"edits": done, "failed": ended.count() - done}

    # --- Limits ------------------------------------------------------------------------------

    def _check_counters(self, workspace: Workspace, spent: list[Spent]) -> None:
        """What the portal counts is what the entries say, for everybody and every limit."""
        month = _today(workspace).replace(day=1)
        memberships = Membership.objects.filter(workspace=workspace).select_related("user", "workspace")
        by_person: defaultdict[UUID, int] = defaultdict(int)
        for one in spent:
            if one.day >= month and one.person:
                by_person[one.person] += one.net
        self.people |= set(by_person)
        shown = members.spent_by(workspace, list(self.people))
        assert shown == {person: net for person, net in by_person.items() if net}
        assert members.spent(workspace) == sum(one.net for one in spent if one.day >= month)
        keys = dict(ApiKey.objects.filter(pk__in=self.world.keys.values()).values_list("created_by", "pk"))
        for row in memberships:
            actor = Actor(user=row.user, workspace=workspace, membership=row, key_id=keys.get(row.user_id))
            for limit in limits.of(actor):
                assert limit.used == self._used(limit.kind, actor, spent), limit.kind
        for cap in approvals.caps(workspace):
            only = {} if cap.user.is_service_account else {"approved": False}
            assert cap.used == _sum(spent, month, person=cap.user.pk, **only)

    def _used(self, kind: Kind, actor: Actor, spent: list[Spent]) -> int:
        day = _today(actor.workspace)
        since = day.replace(day=1) if kind.is_monthly else day
        if kind == Kind.THRESHOLD:
            return 0
        if kind in (Kind.WORKSPACE_MONTH, Kind.WORKSPACE_DAY):
            return _sum(spent, since)
        if kind in (Kind.KEY_MONTH, Kind.KEY_DAY):
            assert actor.key_id
            return _sum(spent, since, family=self.world.families[actor.key_id])
        return _sum(spent, since, person=actor.user.pk, approved=False)

    def _check_allowed(self, workspace: Workspace, one: Spent, spent: list[Spent], caps: Caps) -> None:
        """No limit was exceeded when this edit started. Of two simultaneous changes, any order is right."""
        today = _today(workspace)
        month = today.replace(day=1)
        who = {"person": one.person, "approved": False}
        found: list[tuple[tuple[str, Any], int]] = [
            (("workspace_month", workspace.pk), _sum(spent, month)),
            (("workspace_day", workspace.pk), _sum(spent, today)),
        ]
        if one.family:
            family = _sum(spent, month, family=one.family), _sum(spent, today, family=one.family)
            found += [(("key_month", one.family), family[0]), (("key_day", one.family), family[1])]
        if not one.approved:
            person = (workspace.pk, one.person)
            own = _sum(spent, month, **who), _sum(spent, today, **who)
            found += [(("member_month", person), own[0]), (("member_day", person), own[1])]
            found.append((("threshold", person), one.price))
        for name, used in found:
            loosest = _loosest(self.caps.get(name), caps.get(name))
            assert loosest is None or used <= loosest, name

    def _caps(self) -> Caps:
        caps: Caps = {}
        for workspace in Workspace.objects.filter(pk__in=self.world.workspaces):
            caps["workspace_month", workspace.pk] = workspace.monthly_limit
            caps["workspace_day", workspace.pk] = workspace.daily_limit
            for row in workspace.memberships.filter(user__is_service_account=False):
                person = (workspace.pk, row.user_id)
                caps["member_month", person], caps["member_day", person] = row.monthly_cap, row.daily_cap
                bound = row.role in (Role.EDITOR, Role.VIEWER)
                caps["threshold", person] = workspace.approval_threshold if bound else None
        for key in ApiKey.objects.filter(pk__in=self.world.keys.values()).select_related("created_by"):
            family = self.world.families[key.pk]
            caps["key_month", family], caps["key_day", family] = api_keys.caps_of(key)
        return caps


def _today(workspace: Workspace) -> date:
    return timezone.now().astimezone(ZoneInfo(workspace.time_zone)).date()


def _sum(spent: list[Spent], since: date, **only: Any) -> int:
    """Of edits from that day on which have these attributes."""
    return sum(
        one.net
        for one in spent
        if one.day >= since and all(getattr(one, name) == value for name, value in only.items())
    )


def _loosest(*caps: int | None) -> int | None:
    """The higher one; None: no limit."""
    known = [cap for cap in caps if cap is not None]
    return max(known) if len(known) == len(caps) else None
