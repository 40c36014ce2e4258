"""Re-encrypts all stored secrets after the operator has put a new key first."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.utils import timezone

from editor.access import accounts, second_factor, signatures, vault
from editor.models import ApiKey, Job, ProviderKey, WebhookEndpoint
from editor.operations.webhooks import callbacks, deliveries, endpoints


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many secrets of each kind were re-encrypted, and which no key decrypts, for the operator."""

    provider_keys: int
    signing_secrets: int
    webhook_secrets: int
    second_factors: int
    lost: list[str]


def rotate_all() -> Rotated:
    """Re-encrypt with the first key where needed. Secrets that no key decrypts stay as they are."""
    lost: list[str] = []
    return Rotated(
        provider_keys=_provider_keys(lost),
        signing_secrets=_signing_secrets(lost),
        webhook_secrets=_endpoint_secrets(lost) + _callback_secrets(lost),
        second_factors=_second_factors(lost),
        lost=lost,
    )


def _provider_keys(lost: list[str]) -> int:
    count = 0
    for key in ProviderKey.objects.select_related("workspace").order_by("created_at"):
        secret = _rotated(
            accounts.purpose(key), key.secret, f"{key} of {key.workspace or 'the portal'}", lost
        )
        if secret:
            # Unless another key was stored in the meantime, which needs no rotation.
            count += ProviderKey.objects.filter(pk=key.pk, secret=key.secret).update(secret=secret)
    return count


def _signing_secrets(lost: list[str]) -> int:
    count = 0
    keys = ApiKey.objects.exclude(signing_secret=None).select_related("workspace").order_by("created_at")
    for key in keys:
        assert key.signing_secret is not None
        what = f"the secret of the API key {key} of {key.workspace}"
        secret = _rotated(signatures.purpose(key.pk), key.signing_secret, what, lost)
        if secret:
            count += ApiKey.objects.filter(pk=key.pk).update(signing_secret=secret)
    return count


def _endpoint_secrets(lost: list[str]) -> int:
    count = 0
    for endpoint in WebhookEndpoint.objects.select_related("workspace").order_by("created_at"):
        what = f"the secret of the webhook endpoint {endpoint.id} of {endpoint.workspace}"
        secret = _rotated(endpoints.purpose(endpoint.pk), endpoint.secret, what, lost)
        if secret:
            same = WebhookEndpoint.objects.filter(pk=endpoint.pk, secret=endpoint.secret)
            count += same.update(secret=secret)
    return count


def _callback_secrets(lost: list[str]) -> int:
    """For jobs whose callback is still to be sent, or recent enough to be sent again."""
    count = 0
    since = timezone.now() - deliveries.KEPT
    jobs = Job.objects.exclude(callback_secret=None).filter(created_at__gte=since)
    for job in jobs.only("callback_secret").iterator():
        assert job.callback_secret is not None
        what = f"the callback secret of the edit {job.pk}"
        secret = _rotated(callbacks.purpose(job.pk), job.callback_secret, what, lost)
        if secret:
            count += Job.objects.filter(pk=job.pk).update(callback_secret=secret)
    return count


def _second_factors(lost: list[str]) -> int:
    count = 0
    for row in Authenticator.objects.select_related("user").order_by("pk"):
        for name in set(row.data) & {"secret", "seed"}:
            what = f"the {row.get_type_display()} of {row.user}"
            secret = _rotated(second_factor.PURPOSE, row.data[name].encode(), what, lost)
            if secret:
                data = row.data | {name: secret.decode()}
                count += Authenticator.objects.filter(pk=row.pk, data=row.data).update(data=data)
    return count


def _rotated(purpose: str, token: bytes | memoryview, what: str, lost: list[str]) -> bytes | None:
    """The same secret, encrypted with the first key; None if it already is, or if no key decrypts it."""
    if not vault.needs_rotation(token):
        return None
    try:
        return vault.rotate(purpose=purpose, token=token)
    except vault.Unreadable:
        lost.append(what)
        return None
