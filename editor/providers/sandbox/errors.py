"""The sandbox's refusals, with messages for the person who wrote the prompt."""

from __future__ import annotations

# Kind of edit -> examples.
ABILITIES = {
    "tone": "black and white, sepia, warm, cool, vintage, brighter, darker, contrast, vivid, muted, matte, "
    "invert, night, cinematic, golden hour",
    "colour": "turn red into blue, tint it green",
    "effects": "blur, soft focus, sharpen, posterise, pixelate, vignette, grain",
    "art": "pencil sketch, ink, gouache, watercolour, pop art, risograph, pixel art",
    "geometry": "rotate, flip, crop to 16:9, resize, border, pad",
    "words": 'add the text "SOLD" at the bottom',
    "several images": "put image 2 onto image 1 at the top left",
}
*_MOST, _LAST = (f"{kind} ({examples})" for kind, examples in ABILITIES.items())
ABILITIES_SENTENCE = f"It can do {', '.join(_MOST)} and {_LAST}."
REAL_PROVIDER = "An operator connects a real provider by setting its key, for example BFL_API_KEY."
LONGEST_PIECE = 120  # characters of a prompt quoted in a message


class Refused(Exception):
    """The sandbox cannot do this; the message says why. Can be raised out of a child process."""


def not_understood(piece: str, *, hint: str = "", written: str | None = None) -> Refused:
    """Names the piece, what the sandbox can do, and how to connect a provider that can do more.

    written  what the person wrote, if a preset may have added the piece to it; None: all of it
    """
    piece = " ".join(piece.split())
    added = written is not None and piece not in " ".join(written.split())
    source = ", which the chosen style or character adds to your prompt" if added else ""
    if len(piece) > LONGEST_PIECE:
        piece = piece[: LONGEST_PIECE - 1] + "…"
    return Refused(
        " ".join(
            part
            for part in (
                f"The built-in sandbox does not understand “{piece}”{source}.",
                hint,
                ABILITIES_SENTENCE,
                REAL_PROVIDER,
            )
            if part
        )
    )
