"""Unchecked files as programs upload them: in the storage, but in a folder of their own.

An S3 bucket receives them itself, at URLs that are signed here; a folder gets them through the portal.
"""

from __future__ import annotations

import secrets
import uuid
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage

from editor.errors import NotFound
from editor.media import bucket, limits, store


def new_name(workspace_id: uuid.UUID) -> str:
    """A name that cannot be guessed."""
    return f"incoming/{workspace_id}/{secrets.token_hex(16)}"


def put_url(name: str, content_type: str, expires_in: int) -> str | None:
    """A URL to PUT the file to, of exactly this type, for `expires_in` seconds; None for a folder."""
    if not settings.STORAGE_BUCKET:
        return None
    storage: Any = default_storage
    url: str = storage.connection.meta.client.generate_presigned_url(
        "put_object",
        Params={"Bucket": storage.bucket_name, "Key": name, "ContentType": content_type},
        ExpiresIn=expires_in,
    )
    return url


@bucket.explained()
def read(name: str) -> bytes:
    """The bytes of the file. Raises NotFound if it is missing, and BadImage, unread, if it is too large."""
    if not settings.STORAGE_BUCKET:
        return store.read(name)  # the portal limited its size on receipt
    files = store.storage()
    client = files.connection.meta.client
    try:
        # One request for length and bytes: between two, the file could be replaced by a larger one.
        response = client.get_object(Bucket=files.bucket_name, Key=name)
    except client.exceptions.NoSuchKey as error:
        raise NotFound("There is no such file.") from error
    with closing(response["Body"]) as body:
        limits.check_upload_length(response["ContentLength"])
        content: bytes = body.read()
    return content
