"""Signed links to stored images. Anyone with a link can see the image.

Pages show links that expire: /files/<image id>.<variant>.<i or d>.<day it expires>.<signature>.
Programs, which store links, get links that last as long as the image does:
/i/<image id>.<variant>.<signature>. Programs that expect short-lived links get
/results/<image id>.<variant>.<second it expires>.<signature>/<file name>.
"""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

from django.core import signing
from django.utils import timezone
from django.utils.http import content_disposition_header

from editor.errors import NotFound
from editor.media import file_names
from editor.media.store import ORIGINAL, THUMBNAILS

VARIANTS = (ORIGINAL, *map(str, THUMBNAILS))

_SALT = "editor.media.links"
_LASTING_SALT = "editor.media.links.lasting"
_BRIEF_SALT = "editor.media.links.brief"
KEPT_SECONDS = 60  # after that a cache revalidates: the image may be in the trash
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_INLINE = "i"
_DOWNLOAD = "d"
_LONGEST_NAME, _LONGEST_NAME_BYTES = 100, 240  # without its extension
_UNSAFE_IN_FILE_NAMES = '<>:"/\\|?*'


@dataclass(frozen=True, slots=True)
class Link:
    """The target of a link. `variant` is one of VARIANTS; `download` serves it as an attachment."""

    image_id: uuid.UUID
    variant: str
    download: bool
    expires_at: datetime


def sign(
    image_id: uuid.UUID, variant: str = ORIGINAL, *, download: bool = False, now: datetime | None = None
) -> str:
    """The URL path of an image, valid for 24 to 48 hours.

    It is the same all day (UTC), so that browsers find the image in their cache.
    """
    expiry_day = ((now or timezone.now()) - _EPOCH) // _DAY + 2
    value = f"{_named(image_id, variant)}.{_DOWNLOAD if download else _INLINE}.{expiry_day}"
    return f"/files/{_signer(_SALT).sign(value)}"


def verify(token: str, now: datetime | None = None) -> Link:
    """Read the part of a link after /files/. Raises NotFound if it is forged or expired."""
    try:
        id_text, variant, disposition, expiry_day = _signer(_SALT).unsign(token).split(".")
    except (signing.BadSignature, UnicodeEncodeError) as error:
        raise NotFound("This link is invalid.") from error
    expires_at = _EPOCH + int(expiry_day) * _DAY
    if (now or timezone.now()) >= expires_at:
        raise NotFound("This link has expired. Reload the page it was on.")
    return Link(
        image_id=_image_id(id_text),
        variant=variant,
        download=disposition == _DOWNLOAD,
        expires_at=expires_at,
    )


def sign_lasting(image_id: uuid.UUID, variant: str = ORIGINAL) -> str:
    """The URL path of an image, valid as long as the image exists; always the same."""
    return f"/i/{_signer(_LASTING_SALT).sign(_named(image_id, variant))}"


def verify_lasting(token: str) -> tuple[uuid.UUID, str]:
    """The image and the variant in the part of a link after /i/. Raises NotFound if it is forged."""
    try:
        id_text, variant = _signer(_LASTING_SALT).unsign(token).split(".")
    except (signing.BadSignature, UnicodeEncodeError) as error:
        raise NotFound("This link is invalid.") from error
    return _image_id(id_text), variant


def sign_brief(image_id: uuid.UUID, content_type: str, *, seconds: int, now: datetime | None = None) -> str:
    """The URL path of an original image, valid for `seconds`; it ends in a file name with its type."""
    expires_at = ((now or timezone.now()) - _EPOCH) // timedelta(seconds=1) + seconds
    token = _signer(_BRIEF_SALT).sign(f"{_named(image_id, ORIGINAL)}.{expires_at}")
    return f"/results/{token}/sample.{content_type.removeprefix('image/')}"


def verify_brief(token: str, now: datetime | None = None) -> Link:
    """Read the part of a link after /results/. Raises NotFound if it is forged or expired."""
    try:
        id_text, variant, second = _signer(_BRIEF_SALT).unsign(token).split(".")
    except (signing.BadSignature, UnicodeEncodeError) as error:
        raise NotFound("This link is invalid.") from error
    expires_at = _EPOCH + int(second) * timedelta(seconds=1)
    if (now or timezone.now()) >= expires_at:
        raise NotFound("This link has expired. Request the result again.")
    return Link(image_id=_image_id(id_text), variant=variant, download=False, expires_at=expires_at)


def response_headers(content_type: str, expires_in: float, filename: str | None = None) -> dict[str, str]:
    """The headers that a stored image is served with.

    content_type  of the bytes that are sent
    expires_in    seconds until the link expires; the browser caches the image for that long, at most
                  KEPT_SECONDS, and revalidates on each request afterwards
    filename      saves the image under this name, with the right extension; None shows it
    """
    kept = min(int(expires_in), KEPT_SECONDS)
    disposition = "inline"
    if filename is not None:
        safe_name = _safe_file_name(filename, content_type)
        disposition = content_disposition_header(True, safe_name) or "attachment"
    return {
        "Content-Type": content_type,
        "Content-Disposition": disposition,
        "Cache-Control": f"private, max-age={kept}" if kept > 0 else "private, no-cache",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def embeddable_headers(content_type: str, expires_in: float) -> dict[str, str]:
    """The same, but pages of other sites may embed the image."""
    return response_headers(content_type, expires_in) | {"Cross-Origin-Resource-Policy": "cross-origin"}


def _signer(salt: str) -> signing.Signer:
    return signing.Signer(salt=salt, sep=".")


def _named(image_id: uuid.UUID, variant: str) -> str:
    if variant not in VARIANTS:
        raise ValueError(f"There is no variant {variant!r} of an image, only {', '.join(VARIANTS)}.")
    return f"{base64.urlsafe_b64encode(image_id.bytes).decode().rstrip('=')}.{variant}"


def _image_id(text: str) -> uuid.UUID:
    return uuid.UUID(bytes=base64.urlsafe_b64decode(text + "=="))


def _safe_file_name(name: str, content_type: str) -> str:
    """A name that every file system accepts, without invisible characters, with the right extension."""
    printable = "".join(character for character in name if character.isprintable())
    stem = PurePath(printable.replace("\\", "/")).stem
    stem = "".join("_" if character in _UNSAFE_IN_FILE_NAMES else character for character in stem)
    short = file_names.shortened(stem.strip(" ."), _LONGEST_NAME, _LONGEST_NAME_BYTES)
    return (short or "image") + file_names.EXTENSIONS[content_type]
