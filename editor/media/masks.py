"""Converts other services' masks to the portal's."""

from __future__ import annotations

from io import BytesIO

from PIL import ImageOps

from editor.media.codec import identify_upload
from editor.media.decode import decode_upload
from editor.media.limits import BadImage


def from_transparency(content: bytes) -> bytes:
    """Convert a PNG that is transparent where the image may change to one channel, white = change.

    Meant to run in a child process. Raises BadImage, also if nothing is transparent: such a mask would
    leave the whole image unchanged.
    """
    if identify_upload(content) != "image/png":
        raise BadImage("A mask is a PNG with transparency.")
    mask = decode_upload(content, "image/png").image
    if mask.mode != "RGBA":
        raise BadImage("The mask has no transparency: make transparent what should change.")
    alpha = mask.getchannel("A")
    if alpha.getextrema()[0] == 255:
        raise BadImage("Nothing in the mask is transparent: make transparent what should change.")
    buffer = BytesIO()
    ImageOps.invert(alpha).save(buffer, "PNG")
    return buffer.getvalue()
