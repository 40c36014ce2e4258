"""Jobs: the durable state of each edit. The queue only says "look at this job"."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Func, Q, Value
from django.utils import timezone

from editor.models.base import PublicModel
from editor.models.images import Image
from editor.models.presets import Character, Style
from editor.models.workspaces import Workspace


class Status(models.TextChoices):
    """The public statuses (Flokan's four, and canceled), and one for edits that wait for an approval.

    Nothing is held for a waiting edit, and the queue does not know it. APIs call it pending.
    """

    WAITING = "waiting"
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


def _today() -> date:
    """The day of a workspace whose time zone is UTC."""
    return timezone.now().date()


LIVE = (Status.PENDING, Status.PROCESSING)
UNENDED = (Status.WAITING, *LIVE)
ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELED)


class Channel(models.TextChoices):
    """How an edit was submitted, with display names."""

    WEB = "web", "Studio"
    API = "api", "API"
    MCP = "mcp", "MCP"
    BFL = "bfl", "BFL-compatible API"
    WIRO = "wiro", "Wiro-compatible API"
    OPENAI = "openai", "OpenAI-compatible API"


class Job(PublicModel):
    """One edit, from its request until its credits are settled or released."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="jobs")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="jobs"
    )
    api_key = models.ForeignKey(
        "ApiKey",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="jobs",
        help_text="With which it was started.",
    )
    number = models.BigIntegerField(
        unique=True,
        editable=False,
        db_default=Func(Value("editor_job_number"), function="nextval"),
        help_text="For programs that name tasks by whole numbers.",
    )
    channel = models.CharField(
        max_length=10, choices=Channel, default=Channel.WEB, help_text="Where it came in."
    )
    callback_url = models.CharField(max_length=2083, blank=True, help_text="Told of its end.")
    callback_secret = models.BinaryField(
        null=True, blank=True, help_text="Encrypted; what it is told is signed with this."
    )
    origin = models.CharField(
        max_length=300, blank=True, help_text="Scheme and host that links in what is told begin with."
    )
    idempotency_key = models.CharField(max_length=80, null=True, blank=True)
    request_hash = models.CharField(
        max_length=64, blank=True, help_text="Of the request that came with the key; see idempotency.py."
    )
    repeated = False  # set on a job that an earlier identical request started

    # The request.
    model = models.CharField(max_length=120, help_text="Catalogue id.")
    tier = models.CharField(max_length=20, blank=True)
    prompt = models.TextField()
    sent_prompt = models.TextField(help_text="The prompt with what style and character add to it.")
    inputs = models.JSONField(default=dict, help_text="Validated catalogue inputs.")
    samples = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="How many images were asked for; the price is for all of them."
    )
    style = models.ForeignKey(Style, on_delete=models.SET_NULL, null=True, blank=True)
    style_version = models.PositiveIntegerField(null=True, blank=True)
    character = models.ForeignKey(Character, on_delete=models.SET_NULL, null=True, blank=True)
    character_version = models.PositiveIntegerField(null=True, blank=True)
    images = models.ManyToManyField(Image, through="JobImage", related_name="used_by")
    parent = models.ForeignKey(
        Image,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="edits",
        help_text="The image that is edited; its results become versions of it.",
    )

    # The provider and the price.
    provider = models.CharField(max_length=20)
    target = models.CharField(max_length=120, help_text="The model's name at the provider.")
    tried_providers = models.JSONField(
        default=list, blank=True, help_text="Providers that did not accept it."
    )
    own_key = models.BooleanField(default=False, help_text="Runs on the workspace's own key.")
    price = models.PositiveIntegerField(help_text="Credits held at submission.")
    reduced_price = models.PositiveIntegerField(
        null=True, blank=True, help_text="Credits that it costs instead, since a cheaper route took over."
    )
    charged = models.PositiveIntegerField(default=0, help_text="Credits settled at the end.")
    provider_cost = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="US dollars that the provider says it took. Empty: it does not say.",
    )
    spent_on = models.DateField(
        default=_today,
        help_text="The day in the workspace's time zone that its credits count for.",
    )
    approved = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Counts for the workspace, not against the person's limits.",
    )

    # State.
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    stage = models.CharField(max_length=30, default="task_queue", help_text="The newest event's name.")
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    time_limit = models.PositiveIntegerField(help_text="Seconds from its start until it is given up.")
    queue_id = models.BigIntegerField(null=True, blank=True, help_text="Its row in the queue.")
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    submitting_at = models.DateTimeField(
        null=True, blank=True, help_text="Set once, before the provider is asked: nobody asks again."
    )
    provider_task_id = models.TextField(null=True, blank=True)
    provider_state = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True, help_text="Or what a completed job lacks.")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(status__in=Status.values), name="job_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=UNENDED, finished_at__isnull=True)
                | Q(status__in=ENDED, finished_at__isnull=False),
                name="job_ended_has_time",
            ),
            models.CheckConstraint(
                condition=Q(charged__lte=models.F("price")), name="job_charge_within_price"
            ),
            models.CheckConstraint(condition=Q(samples__gte=1), name="job_samples_positive"),
            models.CheckConstraint(
                condition=Q(status=Status.COMPLETED) | Q(charged=0), name="job_only_completed_costs"
            ),
            models.CheckConstraint(
                condition=Q(provider_task_id__isnull=True) | Q(submitting_at__isnull=False),
                name="job_task_was_submitted",
            ),
            models.UniqueConstraint(
                fields=["workspace", "channel", "idempotency_key"], name="job_idempotency_once"
            ),
        )
        indexes = (
            models.Index(fields=["workspace", "-created_at", "-id"], name="job_recent"),
            models.Index(fields=["workspace", "status", "-created_at", "-id"], name="job_recent_by_status"),
            models.Index(fields=["workspace"], condition=Q(status__in=LIVE), name="job_live"),
            models.Index(
                fields=["workspace", "-finished_at"],
                condition=Q(finished_at__isnull=False),
                name="job_ended_recently",
            ),
            models.Index(fields=["workspace", "created_by", "-created_at"], name="job_recent_by_person"),
            # The operator's pages, over all workspaces: the last day, the queue, and what failed.
            models.Index(
                fields=["-finished_at"], condition=Q(finished_at__isnull=False), name="job_ended_anywhere"
            ),
            models.Index(fields=["created_at"], condition=Q(status__in=LIVE), name="job_live_anywhere"),
            models.Index(fields=["-finished_at"], condition=Q(status=Status.FAILED), name="job_failed"),
        )

    def __str__(self) -> str:
        return f"{self.model} {self.id}"

    @property
    def known_seed(self) -> int | None:
        """The seed that the provider reported, or else the one that it was sent."""
        sent = self.inputs.get("seed")
        return sent if self.seed is None and isinstance(sent, int) else self.seed

    @property
    def is_live(self) -> bool:
        """Queued or running."""
        return self.status in LIVE

    @property
    def public_status(self) -> str:
        """The status in the words of APIs."""
        return Status.PENDING if self.status == Status.WAITING else self.status

    @property
    def has_ended(self) -> bool:
        """Neither queued nor running, nor waiting for an approval."""
        return self.status in ENDED


class JobImage(models.Model):
    """An input image of a job, with its role and position."""

    class Role(models.TextChoices):
        SOURCE = "source"
        REFERENCE = "reference"
        CHARACTER = "character"  # a reference image of the chosen character
        MASK = "mask"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="job_images")
    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="job_images")
    role = models.CharField(max_length=10, choices=Role)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["job", "role", "position"], name="job_image_place_once"),
            models.CheckConstraint(
                condition=Q(role__in=["source", "reference", "character", "mask"]),
                name="job_image_role_known",
            ),
        )


class JobEvent(models.Model):
    """One step of a job, with Wiro's names. Written only by operations/timeline.py."""

    class Kind(models.TextChoices):
        QUEUE = "task_queue"
        ACCEPT = "task_accept"
        ASSIGN = "task_assign"
        PREPROCESS_START = "task_preprocess_start"
        PREPROCESS_END = "task_preprocess_end"
        START = "task_start"
        OUTPUT = "task_output"
        POSTPROCESS_START = "task_postprocess_start"
        POSTPROCESS_END = "task_postprocess_end"
        CANCEL = "task_cancel"
        ERROR = "task_error"

    ENDS = (Kind.POSTPROCESS_END, Kind.CANCEL, Kind.ERROR)  # no events follow these

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=30, choices=Kind)
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__lte=100), name="job_event_percent"
            ),
        )

    def __str__(self) -> str:
        return self.kind
