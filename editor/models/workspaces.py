"""Workspaces, their plans and members."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PurePosixPath

from django.conf import settings
from django.db import models
from django.db.models import Q

from editor.models.base import PublicModel

DEFAULT_STORAGE = 10 * 1024**3  # bytes
DEFAULT_TRASH_DAYS = 30
RESTORABLE = timedelta(days=30)  # after a workspace was deleted


class Rollover(models.TextChoices):
    """What happens to monthly credits that were not spent when the next ones come."""

    NONE = "none", "They expire"
    UP_TO = "up_to", "Up to a number of them stay"
    ALL = "all", "All of them stay"


class Plan(models.Model):
    """The limits of a workspace, and the credits that it gets every month."""

    name = models.CharField(max_length=80, unique=True)
    requests_per_minute = models.PositiveIntegerField(
        default=60, help_text="Requests per minute that the workspace's API keys can make together."
    )
    concurrent_jobs = models.PositiveIntegerField(
        default=100, help_text="Edits that can be queued or running at the same time."
    )
    storage_bytes = models.PositiveBigIntegerField(
        "storage",
        default=DEFAULT_STORAGE,
        db_default=DEFAULT_STORAGE,
        null=True,
        blank=True,
        help_text="Bytes that a workspace's images can use, including its trash. Leave empty for no limit.",
    )
    seats = models.PositiveIntegerField(
        null=True, blank=True, help_text="Members and open invitations together. Leave empty for no limit."
    )
    monthly_credits = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Credits that a workspace gets at the start of each month."
    )
    rollover = models.CharField(
        "unspent monthly credits",
        max_length=10,
        choices=Rollover,
        default=Rollover.NONE,
        db_default=Rollover.NONE,
    )
    rollover_limit = models.PositiveIntegerField(
        "credits that stay", default=0, db_default=0, help_text="Only where up to a number of them stay."
    )
    own_keys = models.BooleanField(default=True, help_text="Can the workspace use its own provider keys?")
    is_default = models.BooleanField(default=False, help_text="New workspaces get this plan.")

    class Meta:
        constraints = (
            # A trigger ensures that there is at least one: migration 0018.
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="plan_one_default"
            ),
            models.CheckConstraint(condition=Q(requests_per_minute__gte=1), name="plan_requests_positive"),
            models.CheckConstraint(condition=Q(concurrent_jobs__gte=1), name="plan_jobs_positive"),
            models.CheckConstraint(condition=Q(rollover__in=Rollover.values), name="plan_rollover_known"),
        )

    def __str__(self) -> str:
        return self.name


class Sharing(models.TextChoices):
    """Who may create public links to a workspace's images."""

    EDITORS = "editors", "Everyone who can edit images"
    MANAGERS = "managers", "Owners and admins"
    NOBODY = "nobody", "Nobody"


class Workspace(PublicModel):
    """A tenant: only its members see its images, jobs, credits and presets.

    One that was deleted keeps its rows until it is restored or purged; nobody can reach it meanwhile.
    """

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="workspaces")
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="workspaces"
    )
    picture_name = models.CharField(
        max_length=300, blank=True, db_default="", help_text="Its name in the file storage."
    )
    default_model = models.CharField(
        max_length=80,
        blank=True,
        db_default="",
        help_text="A model or tier. Leave empty for the catalogue's.",
    )
    trash_days = models.PositiveSmallIntegerField(
        default=DEFAULT_TRASH_DAYS,
        db_default=DEFAULT_TRASH_DAYS,
        help_text="Days that images stay in the trash.",
    )
    public_sharing = models.CharField(
        max_length=10, choices=Sharing, default=Sharing.EDITORS, db_default=Sharing.EDITORS
    )
    second_factor_required = models.BooleanField(
        default=False, db_default=False, help_text="Members without a second factor have to set one up first."
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        db_default="UTC",
        help_text="Days and months of limits begin at its midnight.",
    )
    monthly_limit = models.PositiveIntegerField(
        "monthly budget",
        null=True,
        blank=True,
        help_text="Credits that all can spend per month. Empty: no limit.",
    )
    daily_limit = models.PositiveIntegerField(
        "daily budget",
        null=True,
        blank=True,
        help_text="Credits that all can spend per day. Empty: no limit.",
    )
    approval_threshold = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Editors and viewers need an approval for edits that cost more. Empty: none.",
    )
    usage_mail = models.BooleanField(
        "monthly report",
        default=True,
        db_default=True,
        help_text="Owners get a report of each month by mail.",
    )
    usage_mailed = models.DateField(
        null=True, blank=True, help_text="The first day of the month that was reported last."
    )
    suspended_at = models.DateTimeField(null=True, blank=True, help_text="Since when no edit can be started.")
    suspended_reason = models.CharField(
        max_length=200, blank=True, db_default="", help_text="Its members see this."
    )
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(public_sharing__in=Sharing.values), name="workspace_sharing_known"
            ),
            models.CheckConstraint(
                condition=Q(trash_days__gte=1, trash_days__lte=365), name="workspace_trash_days_in_range"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def restorable_until(self) -> datetime | None:
        """Until when it can be restored; None if it was not deleted."""
        return self.deleted_at + RESTORABLE if self.deleted_at else None

    @property
    def picture_version(self) -> str:
        """Another one for each picture, so that browsers fetch it; "" without a picture."""
        return PurePosixPath(self.picture_name).name[:8]


class FormerAddress(models.Model):
    """A slug that a workspace had before. Its URLs redirect to the current one."""

    slug = models.SlugField(max_length=60, unique=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="former_addresses")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"


class Membership(models.Model):
    """A user's role and rights in a workspace."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.EDITOR)
    access_image_editor = models.BooleanField(
        "Access Image Editor", default=True, help_text="Can this person run edits?"
    )
    monthly_cap = models.PositiveIntegerField(
        null=True, blank=True, help_text="Credits this person can spend per month. Leave empty for no limit."
    )
    daily_cap = models.PositiveIntegerField(
        null=True, blank=True, help_text="Credits this person can spend per day. Leave empty for no limit."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_active_at = models.DateTimeField(
        null=True, blank=True, help_text="Last page or API call in the workspace, to the minute."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        )

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}"
