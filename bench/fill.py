"""Fills a workspace with edits, like months of work by several people.

To be run in a portal's environment:
python manage.py shell -c "from bench.fill import fill; fill('acme-studio', jobs=10_000)"

The rows are bulk-inserted without the operations, which would take hours. They keep every rule of the
tables: lineage, timelines, and a ledger that adds up. Only the newest images have files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bench import prompts
from bench.portal import LARGE_TREE
from editor import catalog
from editor.catalog.types import Model
from editor.media import store
from editor.media.codec import CleanImage
from editor.models import Image, Job, Membership, Star, Status, Style, User, Workspace
from editor.operations import credits, images, search, workspaces
from tests.e2e.portal import PASSWORD

# Share of each person's edits in a hundred thousand. Noor hardly ever edits.
PEOPLE = {
    "amara@example.test": 30_000,
    "jonas@example.test": 25_000,
    "mei@example.test": 20_000,
    "tunde@example.test": 14_950,
    "ines@example.test": 10_000,
    "noor@example.test": 50,
}
DAYS = 180  # period of the edits
PICTURES = 240  # images with files: enough for the first page of the gallery and the newest trees
_BATCH = 5_000
_SHIPPED = Path(settings.BASE_DIR, "static", "samples")

# Percent of the edits.
MODELS = {
    "black-forest-labs/flux-2-pro": 50,
    "wiro/flux_kontext_dev_with_2_image": 35,
    "black-forest-labs/flux-kontext-max": 14,
    "black-forest-labs/flux-kontext-pro": 1,
}


@dataclass(slots=True)
class _Rows:
    jobs: list[Job] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    stars: list[Star] = field(default_factory=list)

    def save(self) -> None:
        Job.objects.bulk_create(self.jobs, _BATCH)
        search.add(jobs=self.jobs)
        Image.objects.bulk_create(self.images, _BATCH)
        Star.objects.bulk_create(self.stars, _BATCH, ignore_conflicts=True)


def fill(slug: str, *, jobs: int) -> None:
    """Add edits to the workspace until it has `jobs` of them."""
    workspace = Workspace.objects.get(slug=slug)
    missing = jobs - Job.objects.filter(workspace=workspace).count()
    if missing > 0:
        people = _people(workspace)
        for model in (Job, Image):
            model._meta.get_field("created_at").auto_now_add = False
        with transaction.atomic():
            credits.grant(workspace=workspace, amount=100 * missing, actor=None, note="For the figures")
            _Filler(workspace, people, missing).rows().save()
            with connection.cursor() as cursor:
                cursor.execute(_DERIVED, {"workspace": workspace.pk})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _people(workspace: Workspace) -> list[User]:
    """The members, in the order of PEOPLE; missing ones are created."""
    people = []
    for email in PEOPLE:
        person = User.objects.filter(email=email).first() or workspaces.create_user(
            email=email, password=PASSWORD, name=email.partition("@")[0].title()
        )
        Membership.objects.get_or_create(workspace=workspace, user=person)
        people.append(person)
    return people


class _Filler:
    """Creates edits one after another, each of an upload or of the result of an earlier edit."""

    def __init__(self, workspace: Workspace, people: list[User], count: int) -> None:
        self.workspace = workspace
        self.people = people
        self.count = count
        self.chance = Random(count)  # noqa: S311 - seeded: the same number gives the same edits
        self.models = [catalog.get_model(name) for name in MODELS]
        self.styles = list(Style.objects.filter(workspace=None))
        self.made = _Rows()
        self.trees: list[list[Image]] = []
        self.large_tree: list[Image] = []

    def rows(self) -> _Rows:
        start = timezone.now() - timedelta(days=DAYS)
        pause = timedelta(days=DAYS) / self.count
        for number in range(self.count):
            self._edit(number, at=start + pause * number)
        self._give_files()
        return self.made

    def _edit(self, number: int, *, at: datetime) -> None:
        chance = self.chance
        [person] = chance.choices(self.people, weights=list(PEOPLE.values()))
        [model] = chance.choices(self.models, weights=list(MODELS.values()))
        tree = self._tree(number, person, at)
        job = self._job(number, person=person, model=model, parent=_chosen_parent(tree, chance), at=at)
        self.made.jobs.append(job)
        if job.status == Status.COMPLETED:
            [samples] = chance.choices([1, 2, 3, 4], weights=[85, 6, 3, 6])
            for position in range(samples):
                self._result(job, position, tree)

    def _tree(self, number: int, person: User, at: datetime) -> list[Image]:
        """The versions that the next edit adds to; none for an edit without a source."""
        if number % 20 == 0 and len(self.large_tree) < LARGE_TREE:
            self.large_tree = self.large_tree or [self._upload(person, at)]
            return self.large_tree
        if self.chance.random() < 0.05:
            return []
        if len(self.trees) < 40 or self.chance.random() < 0.3:
            self.trees.append([self._upload(person, at)])
        if len(self.trees) > 40:
            self.trees.pop(0)  # nobody returns to the oldest
        return self.chance.choice(self.trees)

    def _upload(self, person: User, at: datetime) -> Image:
        image = self._image(created_by=person, kind=Image.Kind.SOURCE, created_at=at - timedelta(seconds=40))
        image.original_name = f"{self.chance.choice(prompts.THINGS)}.jpg"
        return image

    def _job(self, number: int, *, person: User, model: Model, parent: Image | None, at: datetime) -> Job:
        chance = self.chance
        [status] = chance.choices([Status.COMPLETED, Status.FAILED, Status.CANCELED], weights=[88, 10, 2])
        prompt = prompts.make(chance, number, of=self.count)
        style = chance.choice(self.styles) if chance.random() < 0.2 else None
        failed = status == Status.FAILED
        return Job(
            workspace=self.workspace,
            created_by=person,
            created_at=at,
            spent_on=at.date(),
            model=model.id,
            prompt=prompt,
            sent_prompt=f"{prompt}, {style.prompt}" if style else prompt,
            style=style,
            style_version=style.version if style else None,
            parent=parent,
            provider=model.routes[0].provider,
            target=model.routes[0].target,
            price=model.credits,
            charged=model.credits if status == Status.COMPLETED else 0,
            status=status,
            stage={"completed": "task_postprocess_end", "failed": "task_error"}.get(status, "task_cancel"),
            time_limit=model.time_limit_seconds,
            submitting_at=at + timedelta(seconds=1),
            started_at=at + timedelta(seconds=1),
            finished_at=at + timedelta(seconds=chance.uniform(3, 20)),
            seed=chance.randrange(2**31),
            error_code="moderated" if failed else "",
            error="The provider withheld this result." if failed else "",
        )

    def _result(self, job: Job, position: int, tree: list[Image]) -> None:
        root = tree[0] if tree else None
        image = self._image(
            kind=Image.Kind.RESULT,
            created_by=job.created_by,
            created_at=job.finished_at,
            job=job,
            position=position,
            parent=job.parent,
            root=root,
            version=len(tree) + 1 if root else 1,
        )
        tree.append(image)
        if self.chance.random() < 0.02:
            image.trashed_at, image.trashed_by = timezone.now(), job.created_by
        if self.chance.random() < 0.04:
            [fan] = self.chance.choices(self.people, weights=list(PEOPLE.values()))
            self.made.stars.append(Star(user=fan, image=image))

    def _image(self, **fields: object) -> Image:
        image = Image(
            workspace=self.workspace, content_type="image/png", width=1200, height=800, size=1, **fields
        )
        image.storage_name = f"nowhere/{image.id}.png"
        self.made.images.append(image)
        return image

    def _give_files(self) -> None:
        """Store files for the newest images, which pages are most likely to show."""
        for image, clean in zip(reversed(self.made.images), _photographs(), strict=False):
            suffix = clean.content_type.removeprefix("image/")
            image.storage_name = store.new_name(self.workspace.id, image.id, suffix)
            image.content_type, image.width, image.height = clean.content_type, clean.width, clean.height
            image.size = len(clean.content)
            store.save(image.storage_name, clean.content, clean.content_type)
            for side, content in clean.thumbnails.items():
                store.save(store.thumbnail_name(image.storage_name, side), content, "image/webp")


def _chosen_parent(tree: list[Image], chance: Random) -> Image | None:
    """Mostly the newest version, sometimes an earlier one: a branch."""
    if not tree:
        return None
    return tree[-1] if chance.random() < 0.7 else chance.choice(tree)


def _photographs() -> Iterator[CleanImage]:
    """The bundled photographs in turn, PICTURES times."""
    clean = [
        store.clean((_SHIPPED / f"{name}.jpg").read_bytes(), tenant="figures") for name in images.SAMPLES
    ]
    for number in range(PICTURES):
        yield clean[number % len(clean)]


# Rows derived from the jobs: their input images, timelines, and two ledger entries each.
_DERIVED = """
CREATE TEMPORARY TABLE added ON COMMIT DROP AS
SELECT job.* FROM editor_job AS job
WHERE workspace_id = %(workspace)s
  AND NOT EXISTS (SELECT FROM editor_ledgerentry AS entry WHERE entry.job_id = job.id);

INSERT INTO editor_jobimage (job_id, image_id, role, position)
SELECT id, parent_id, 'source', 0 FROM added WHERE parent_id IS NOT NULL;

INSERT INTO editor_jobevent (job_id, kind, percent, note, created_at)
SELECT id, step.kind, step.percent, '', created_at + (finished_at - created_at) * part
FROM added CROSS JOIN (VALUES
    ('task_queue', NULL, 0), ('task_accept', NULL, 0.1), ('task_assign', NULL, 0.1),
    ('task_preprocess_start', NULL, 0.1), ('task_preprocess_end', NULL, 0.2), ('task_start', NULL, 0.2),
    ('task_output', 50, 0.5), ('task_output', 100, 0.8), ('task_postprocess_start', NULL, 0.9)
) AS step (kind, percent, part)
UNION ALL
SELECT id, stage, NULL, error, finished_at FROM added
ORDER BY 5;

WITH movement AS (
    SELECT created_at AS at, id AS job_id, 'hold' AS kind, -price AS amount, price AS held, created_by_id,
           model, channel
    FROM added
    UNION ALL
    SELECT finished_at, id, CASE status WHEN 'completed' THEN 'settle' ELSE 'release' END,
           price - charged, -price, NULL, '', ''
    FROM added
)
INSERT INTO editor_ledgerentry
    (account_id, kind, amount, held_amount, balance_after, held_after, job_id, actor_id, note, model,
     channel, created_at)
SELECT account.workspace_id, kind, amount, movement.held,
       account.balance + sum(amount) OVER running, account.held + sum(movement.held) OVER running,
       job_id, created_by_id, '', model, channel, at
FROM movement CROSS JOIN editor_creditaccount AS account
WHERE account.workspace_id = %(workspace)s
WINDOW running AS (ORDER BY at, job_id, movement.held DESC ROWS UNBOUNDED PRECEDING)
ORDER BY at, job_id, movement.held DESC;

INSERT INTO editor_dailyusage
    (account_id, day, user_id, api_key_id, model, channel, provider, approved, edits, failed, credits,
     returned)
SELECT workspace_id, spent_on, created_by_id, api_key_id, model, channel, provider, approved,
       count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status <> 'completed'),
       sum(charged), sum(price - charged)
FROM added GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;

UPDATE editor_creditaccount SET balance = balance - (SELECT sum(charged) FROM added)
WHERE workspace_id = %(workspace)s;
"""
