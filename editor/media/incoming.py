"""Files as programs send them, before anybody has looked at them: in the storage, but apart.

An S3 bucket takes them itself, at URLs that are signed here; a folder gets them from the portal.
"""

from __future__ import annotations

import secrets
import uuid
from contextlib import closing
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage

from editor.errors import NotFound
from editor.media import codec, store


def new_name(workspace_id: uuid.UUID) -> str:
    """A name that cannot be guessed."""
    return f"incoming/{workspace_id}/{secrets.token_hex(16)}"


def put_url(name: str, content_type: str, expires_in: int) -> str | None:
    """A URL that takes the file by PUT, of exactly this type, for so many seconds; None for a folder."""
    if not settings.STORAGE_BUCKET:
        return None
    storage: Any = default_storage
    url: str = storage.connection.meta.client.generate_presigned_url(
        "put_object",
        Params={"Bucket": storage.bucket_name, "Key": name, "ContentType": content_type},
        ExpiresIn=expires_in,
    )
    return url


def read(name: str) -> bytes:
    """The bytes of the file. Raises NotFound while there are none, BadImage for too many, unread."""
    if not settings.STORAGE_BUCKET:
        return store.read(name)  # the portal let none grow too long
    bucket = store.storage()
    client = bucket.connection.meta.client
    try:
        # One request for length and bytes: between two, the file could be exchanged for a longer one.
        answer = client.get_object(Bucket=bucket.bucket_name, Key=name)
    except client.exceptions.NoSuchKey as error:
        raise NotFound("There is no such file.") from error
    with closing(answer["Body"]) as body:
        codec.check_length(answer["ContentLength"])
        content: bytes = body.read()
    return content
