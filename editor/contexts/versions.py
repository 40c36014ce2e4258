"""A version of an image, as shown by pages and fragments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from editor.contexts import pictures
from editor.media import links
from editor.models import Image, Workspace
from editor.queries.studio import Version

SAME_SHAPE = 0.02  # relative difference of the aspect ratios


@dataclass(frozen=True, slots=True)
class VersionView:
    id: UUID
    number: int
    label: str
    prompt: str
    url: str
    thumb_url: str
    middle_url: str
    preview_url: str
    full_url: str
    download_url: str
    width: int
    height: int
    alt: str
    credits: int
    seed: int | None = None
    may_be_transparent: bool = False
    is_current: bool = False
    key: str = ""  # keyboard shortcut from the current version

    @property
    def srcset(self) -> str:
        """The files to show it large."""
        files = [("1280", self.preview_url), ("full", self.full_url)]
        return pictures.srcset(files, width=self.width, height=self.height)

    @property
    def sizes(self) -> str:
        return pictures.sizes_fitted(width=self.width, height=self.height)

    @property
    def sample_srcset(self) -> str:
        """The files to show it among the samples of its edit."""
        files = [("512", self.middle_url), ("1280", self.preview_url), ("full", self.full_url)]
        return pictures.srcset(files, width=self.width, height=self.height)

    @property
    def sample_sizes(self) -> str:
        return pictures.sizes_fitted(width=self.width, height=self.height, columns=2)

    @property
    def thumb_srcset(self) -> str:
        """The files to show it as a small tile."""
        files = [("160", self.thumb_url), ("512", self.middle_url)]
        return pictures.srcset(files, width=self.width, height=self.height)


@dataclass(frozen=True, slots=True)
class StageView:
    """The version that is edited next, and what it is compared with.

    before    its source, or another version that the user chose
    named     label the two sides of the comparison by their versions
    siblings  all samples of its edit, including itself; empty if it is the only one
    fresh     it has just arrived: with several samples, one is to be chosen first
    leave_url where to go when it is moved to the trash
    """

    current: VersionView
    before: VersionView | None
    leave_url: str
    siblings: Sequence[VersionView] = ()
    named: bool = False
    starred: bool = False
    fresh: bool = False

    @property
    def url(self) -> str:
        return f"{self.current.url}?with={self.before.id}" if self.before and self.named else self.current.url

    @property
    def view(self) -> str:
        """The view shown first. Images of different shapes are not laid over one another."""
        if self.fresh and self.siblings:
            return "samples"
        if self.before is None:
            return "result"
        return "compare" if same_shape(self.before, self.current) else "beside"

    @property
    def before_tag(self) -> str:
        return self.before.label if self.before and self.named else "Before"

    @property
    def after_tag(self) -> str:
        return self.current.label if self.named else "After"


def same_shape(one: VersionView, other: VersionView) -> bool:
    """Whether the images have the same aspect ratio, apart from rounding to whole pixels."""
    return math.isclose(one.width / one.height, other.width / other.height, rel_tol=SAME_SHAPE)


def stage_view(
    workspace: Workspace,
    current: VersionView,
    *,
    source: VersionView | None,
    compared: VersionView | None = None,
    samples: Sequence[VersionView] = (),
    starred: bool = False,
    fresh: bool = False,
) -> StageView:
    """`samples` are all results of the current version's edit that are not in the trash."""
    return StageView(
        current=current,
        before=compared or source,
        leave_url=source.url if source else reverse("studio", args=[workspace.slug]),
        siblings=samples if len(samples) > 1 else (),
        named=compared is not None,
        starred=starred,
        fresh=fresh,
    )


def version_view(workspace: Workspace, image: Image, *, current: Image | None = None) -> VersionView:
    """`image.job` must be loaded; makes no query."""
    prompt = image.job.prompt if image.job else ""
    return VersionView(
        id=image.id,
        number=image.version,
        label=image.label,
        prompt=prompt,
        url=reverse("studio_version", args=[workspace.slug, image.id]),
        thumb_url=links.sign(image.id, "160"),
        middle_url=links.sign(image.id, "512"),
        preview_url=links.sign(image.id, "1280"),
        full_url=links.sign(image.id),
        download_url=links.sign(image.id, download=True),
        width=image.width,
        height=image.height,
        alt=f"{image.label}: {prompt}" if prompt else f"{image.label}: {image.original_name or 'image'}",
        credits=image.job.charged if image.job else 0,
        seed=image.job.known_seed if image.job else None,
        may_be_transparent=image.may_have_alpha,
        is_current=current is not None and image.pk == current.pk,
    )


def shown_sources(tree: Sequence[Version]) -> dict[UUID, UUID | None]:
    """Each version of a tree outside the trash, mapped to its nearest ancestor outside the trash."""
    by_id = {version.id: version for version in tree}

    def source_of(version: Version) -> UUID | None:
        source_id = version.parent_id
        while source_id in by_id and by_id[source_id].trashed_at:
            source_id = by_id[source_id].parent_id
        return source_id if source_id in by_id else None

    return {version.id: source_of(version) for version in tree if not version.trashed_at}
