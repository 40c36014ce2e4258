"""The request to a provider for a job: images, prompt, inputs, and the key to use."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from editor.access import accounts
from editor.concurrency.threads import in_storage_thread
from editor.media import store
from editor.models import Image, Job, JobImage
from editor.providers import registry
from editor.providers.base import Account, EditRequest, ErrorKind, InputImage, ProviderError


def build(job: Job) -> EditRequest:
    """The job as a request for its provider's adapter.

    Raises ProviderError (AUTH) when the key that it should run on is gone.
    """
    used = list(job.job_images.select_related("image").order_by("position"))
    mask = JobImage.Role.MASK
    return EditRequest(
        job_id=str(job.id),
        tenant=str(job.workspace_id),
        model=job.model,
        target=job.target,
        prompt=job.sent_prompt,
        written=job.prompt,
        images=tuple(_input(item.image) for item in used if item.role != mask),
        mask=next((_input(item.image) for item in used if item.role == mask), None),
        inputs=job.inputs,
        samples=job.samples,
        account=_account(job),
        callback_url=_callback_url(job),
    )


def callback_path(*, job_id: UUID, provider: str) -> str:
    """The URL path of the provider's callbacks for this job. It cannot be guessed."""
    return reverse("provider_callback", args=[provider, signing.dumps(str(job_id), salt=_salt(provider))])


def read_callback_token(*, token: str, provider: str) -> UUID | None:
    """The job that a callback is about; None for a forged token, or another provider's."""
    try:
        return UUID(signing.loads(token, salt=_salt(provider)))
    except (signing.BadSignature, ValueError):
        return None


def _input(image: Image) -> InputImage:
    return InputImage(
        content_type=image.content_type,
        width=image.width,
        height=image.height,
        load=partial(in_storage_thread, store.read, image.storage_name),
    )


def _account(job: Job) -> Account:
    provider = registry.get(job.provider)
    if not provider.needs_key:
        return Account()
    account = accounts.account(workspace=job.workspace if job.own_key else None, provider=job.provider)
    if account is None:
        whose = "workspace's" if job.own_key else "portal's"
        raise ProviderError(
            ErrorKind.AUTH, f"The {whose} key for {provider.label} was removed or disabled meanwhile."
        )
    return account


def _callback_url(job: Job) -> str | None:
    """None unless the portal has a public https address: only then can it be called back."""
    if not settings.HTTPS:
        return None
    return f"{settings.BASE_URL}{callback_path(job_id=job.id, provider=job.provider)}"


def _salt(provider: str) -> str:
    return f"provider-callback:{provider}"
