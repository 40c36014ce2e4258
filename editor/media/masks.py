"""Masks as other services have them, made ours."""

from __future__ import annotations

from io import BytesIO

from PIL import ImageOps

from editor.media.codec import BadImage, decode, identify


def from_transparency(content: bytes) -> bytes:
    """A PNG that is transparent where the image may change, as ours: one channel, white = change.

    Meant to run in a child process. Raises BadImage, also for one with nothing transparent: it would
    keep the whole image as it is.
    """
    if identify(content) != "image/png":
        raise BadImage("A mask is a PNG with transparency.")
    mask = decode(content, "image/png")
    if mask.mode != "RGBA":
        raise BadImage("The mask has no transparency: make transparent what should change.")
    alpha = mask.getchannel("A")
    if alpha.getextrema()[0] == 255:
        raise BadImage("Nothing in the mask is transparent: make transparent what should change.")
    buffer = BytesIO()
    ImageOps.invert(alpha).save(buffer, "PNG")
    return buffer.getvalue()
