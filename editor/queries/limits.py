"""Limits of credits: what applies to an actor, and what is left of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.utils import timezone

from editor import months
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.models import LIVE, ApiKey, DailyUsage, Job, Membership, Workspace
from editor.queries import api_keys


class Kind(StrEnum):
    """What has the limit, and for how long it counts. APIs name limits by these."""

    MEMBER_MONTH = "member_month"
    MEMBER_DAY = "member_day"
    KEY_MONTH = "key_month"
    KEY_DAY = "key_day"
    WORKSPACE_MONTH = "workspace_month"
    WORKSPACE_DAY = "workspace_day"
    THRESHOLD = "threshold"  # of one edit

    @property
    def is_monthly(self) -> bool:
        return self.value.endswith("month")


# An approved edit does not count against these; the others hold for it too.
_LIFTED = frozenset({Kind.MEMBER_MONTH, Kind.MEMBER_DAY, Kind.THRESHOLD})


@dataclass(frozen=True, slots=True)
class Limit:
    """Credits that may be spent until `resets_at`; `used` counts what was charged and what is held.

    The limit of one edit counts nothing and never resets.
    """

    kind: Kind
    allowed: int
    used: int
    resets_at: datetime | None

    @property
    def remaining(self) -> int:
        return max(0, self.allowed - self.used)

    @property
    def lifted_by_approval(self) -> bool:
        """An edit over it may run if it is approved."""
        return self.kind in _LIFTED

    @property
    def period(self) -> str:
        return "a month" if self.kind.is_monthly else "a day"


@dataclass(frozen=True, slots=True)
class Capped:
    """How many there are, and how many of them have a cap of a month or a day."""

    all: int
    capped: int


def capped_members(workspace: Workspace) -> Capped:
    rows = Membership.objects.filter(workspace=workspace, user__is_service_account=False)
    return Capped(**rows.aggregate(all=Count("pk"), capped=Count("pk", filter=_CAPPED)))


def capped_keys(workspace: Workspace) -> Capped:
    """Of the keys that work now. Those of the workspace have the caps of their service accounts."""
    holders = Membership.objects.filter(
        _CAPPED, workspace=workspace, user=OuterRef("created_by"), user__is_service_account=True
    )
    rows = ApiKey.objects.filter(api_keys.live(), workspace=workspace)
    return Capped(**rows.aggregate(all=Count("pk"), capped=Count("pk", filter=_CAPPED | Q(Exists(holders)))))


_CAPPED = Q(monthly_cap__isnull=False) | Q(daily_cap__isnull=False)


def today(workspace: Workspace) -> date:
    """The day in the workspace's time zone."""
    return timezone.now().astimezone(ZoneInfo(workspace.time_zone)).date()


def resets_at(workspace: Workspace, kind: str) -> datetime | None:
    """When a limit of this kind counts from zero again; None for the limit of one edit."""
    day = today(workspace)
    if kind == Kind.THRESHOLD:
        return None
    return _midnight(workspace, months.after(day) if kind.endswith("_month") else day + timedelta(days=1))


def of(actor: Actor) -> list[Limit]:
    """All limits that apply to the actor's edits, the narrowest first."""
    return [*_of_member(actor), *_of_one_edit(actor), *of_approved(actor.workspace, key_id=actor.key_id)]


def of_approved(workspace: Workspace, *, key_id: UUID | None) -> list[Limit]:
    """Those that an approval does not lift. `key_id`: the API key that the edit was started with."""
    return [*_of_key(workspace, key_id), *of_workspace(workspace)]


def binding(limits: Iterable[Limit], *, price: int) -> Limit | None:
    """The limit that does not allow another `price` credits; None if all do.

    Of several, one that no approval lifts; of these, the one with the least left.
    """
    over = [limit for limit in limits if price > limit.remaining]
    return min(over, key=lambda limit: (limit.lifted_by_approval, limit.remaining), default=None)


def of_workspace(workspace: Workspace) -> list[Limit]:
    """Of all its members and keys together. Approved edits count."""
    caps = (workspace.monthly_limit, workspace.daily_limit)
    return list(_limits(workspace, caps, (Kind.WORKSPACE_MONTH, Kind.WORKSPACE_DAY), Q(), Q()))


def _of_member(actor: Actor) -> Iterator[Limit]:
    """Approved edits do not count. An account of an API key has the limits of its key: see `_of_key`."""
    if actor.user.is_service_account:
        return iter(())
    caps = (actor.membership.monthly_cap, actor.membership.daily_cap)
    spent, held = Q(user=actor.user, approved=False), Q(created_by=actor.user, approved=False)
    return _limits(actor.workspace, caps, (Kind.MEMBER_MONTH, Kind.MEMBER_DAY), spent, held)


def _of_one_edit(actor: Actor) -> Iterator[Limit]:
    threshold = actor.workspace.approval_threshold
    if threshold is not None and not actor.may(Permission.APPROVE):
        yield Limit(kind=Kind.THRESHOLD, allowed=threshold, used=0, resets_at=None)


def _of_key(workspace: Workspace, key_id: UUID | None) -> Iterator[Limit]:
    """Of the key and those that replace it. One of the workspace has the caps of its service account."""
    if key_id is None:
        return iter(())
    kinds = (Kind.KEY_MONTH, Kind.KEY_DAY)
    key = ApiKey.objects.select_related("created_by").get(pk=key_id)
    if key.created_by.is_service_account:  # which has the caps, also of keys that replace one another
        rows = Membership.objects.filter(workspace=workspace, user=key.created_by)
        caps = rows.values_list("monthly_cap", "daily_cap").first() or (None, None)
        return _limits(workspace, caps, kinds, Q(user=key.created_by), Q(created_by=key.created_by))
    caps = (key.monthly_cap, key.daily_cap)
    if caps == (None, None):
        return iter(())
    own = Q(api_key__in=api_keys.replacing_each_other(key_id))
    return _limits(workspace, caps, kinds, own, own)


def _limits(
    workspace: Workspace,
    caps: tuple[int | None, int | None],
    kinds: tuple[Kind, Kind],
    spent: Q,
    held: Q,
) -> Iterator[Limit]:
    """`caps`: a month's and a day's; `spent` and `held` select what counts."""
    if caps == (None, None):
        return
    day = today(workspace)
    resets = (_midnight(workspace, months.after(day)), _midnight(workspace, day + timedelta(days=1)))
    used = used_since_month_and_day(workspace, day=day, spent=spent, held=held)
    for kind, cap, count, reset in zip(kinds, caps, used, resets, strict=True):
        if cap is not None:
            yield Limit(kind=kind, allowed=cap, used=count, resets_at=reset)


def used_since_month_and_day(workspace: Workspace, *, day: date, spent: Q, held: Q) -> tuple[int, int]:
    """Credits charged or held in the month of `day`, and on the day. Two queries.

    Later days count too: there are some if the time zone was changed.
    """
    usage = DailyUsage.objects.filter(spent, account=workspace.pk, day__gte=months.of(day))
    charged = usage.aggregate(
        month=Sum("credits", default=0), day=Sum("credits", filter=Q(day__gte=day), default=0)
    )
    live = Job.objects.filter(held, workspace=workspace, status__in=LIVE, spent_on__gte=months.of(day))
    waiting = live.aggregate(
        month=Sum("price", default=0), day=Sum("price", filter=Q(spent_on__gte=day), default=0)
    )
    return charged["month"] + waiting["month"], charged["day"] + waiting["day"]


def _midnight(workspace: Workspace, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(workspace.time_zone))
