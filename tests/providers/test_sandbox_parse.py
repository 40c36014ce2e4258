from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.providers.sandbox import vocabulary
from editor.providers.sandbox.clauses import colour
from editor.providers.sandbox.errors import Refused
from editor.providers.sandbox.operations import (
    Border,
    Caption,
    Crop,
    Flip,
    Look,
    Operation,
    Pad,
    Place,
    Recolour,
    Resize,
    Rotate,
    SideBySide,
    Spot,
    Tint,
)
from editor.providers.sandbox.parser import parse, parse_poster
from editor.providers.sandbox.render import FILTERS

RED, BLUE, GREEN, TEAL, ORANGE, PURPLE = (
    colour(name) for name in ("red", "blue", "green", "teal", "orange", "purple")
)


BOTTOM, TOP, CENTRE = Spot("bottom", "centre"), Spot("top", "centre"), Spot("centre", "centre")


CORNER = Spot("bottom", "right")


def one(prompt: str, images: int = 2) -> Operation:
    (operation,) = parse(prompt, images=images)
    return operation


def names(prompt: str) -> list[str]:
    return [look.name for look in parse(prompt, images=1) if isinstance(look, Look)]


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("black and white", "grey"),
        ("Make it black & white", "grey"),
        ("convert the photo to B&W", "grey"),
        ("turn this image into greyscale, please", "grey"),
        ("grayscale", "grey"),
        ("monochrome", "grey"),
        ("give it a sepia tone", "sepia"),
        ("make the image warmer", "warm"),
        ("cool", "cool"),
        ("make it look like a vintage photograph", "vintage"),
        ("brighter", "brighter"),
        ("increase the exposure", "brighter"),
        ("darken it", "darker"),
        ("more contrast", "more contrast"),
        ("reduce the contrast", "less contrast"),
        ("make the colours vivid", "vivid"),
        ("make it saturated", "vivid"),
        ("muted", "muted"),
        ("desaturate the photo", "muted"),
        ("invert the colors", "invert"),
        ("negative", "invert"),
        ("turn day into night", "night"),
        ("a cinematic look", "cinematic"),
        ("in golden hour light", "golden hour"),
        ("give it a matte finish", "matte"),
        ("blur it", "blur"),
        ("in soft focus", "soft focus"),
        ("sharpen", "sharpen"),
        ("turn it into a pencil sketch", "pencil sketch"),
        ("as an ink drawing", "ink"),
        ("as a gouache painting", "gouache"),
        ("turn it into a watercolor painting", "watercolour"),
        ("in the style of a painting", "gouache"),
        ("posterize", "posterise"),
        ("posterise the image", "posterise"),
        ("make a pop art version of this photo", "pop art"),
        ("as a risograph print", "risograph"),
        ("pixelate", "pixelate"),
        ("as pixel art", "pixel art"),
        ("add a vignette", "vignette"),
        ("add film grain", "grain"),
    ],
)
def test_looks_have_many_names(prompt: str, name: str) -> None:
    assert one(prompt) == Look(name)


def test_every_look_has_a_filter_and_every_filter_a_name() -> None:
    assert set(FILTERS) == vocabulary.LOOKS


def test_words_of_degree_change_the_strength() -> None:
    def strength(prompt: str) -> float:
        look = one(prompt)
        assert isinstance(look, Look)
        return look.strength

    assert strength("make it slightly brighter") == strength("a bit brighter, please") < 1
    assert strength("very slightly brighter") < strength("slightly brighter")
    assert strength("much brighter") == strength("make it very bright") > 1
    assert strength("70% brighter") == pytest.approx(2.0)
    assert strength("increase contrast by 35 %") == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("prompt", "operation"),
    [
        ("turn red into blue", Recolour(RED, BLUE)),
        ("make the red parts blue", Recolour(RED, BLUE)),
        ("change orange to teal", Recolour(ORANGE, TEAL)),
        ("replace green with purple", Recolour(GREEN, PURPLE)),
        ("turn all the reds into blues", Recolour(RED, BLUE)),
        ("make the white areas #f80", Recolour(colour("white"), (255, 136, 0))),
        ("change dark blue to red", Recolour(colour("dark blue"), RED, brightest=140)),
        ("tint it blue", Tint(BLUE)),
        ("add a blue tint", Tint(BLUE)),
        ("make it blue", Tint(BLUE)),
        ("rotate 30 degrees", Rotate(30)),
        ("rotate left", Rotate(-90)),
        ("rotate it by 12.5° to the right", Rotate(12.5)),
        ("rotate 180", Rotate(180)),
        ("turn it 90 degrees counterclockwise", Rotate(-90)),
        ("turn it upside down", Rotate(180)),
        ("flip horizontally", Flip("horizontal")),
        ("mirror the image", Flip("horizontal")),
        ("flip it vertically", Flip("vertical")),
        ("crop to 16:9", Crop(16, 9)),
        ("crop it to a square", Crop(1, 1)),
        ("crop to 4 by 3", Crop(4, 3)),
        ("make it square", Crop(1, 1)),
        ("resize to 800x600", Resize(width=800, height=600)),
        ("resize to 800 by 600 pixels", Resize(width=800, height=600)),
        ("half size", Resize(factor=0.5)),
        ("resize it to half the size", Resize(factor=0.5)),
        ("scale to 50%", Resize(factor=0.5)),
        ("width 500", Resize(width=500)),
        ("make it 500 px wide", Resize(width=500)),
        ("set the height to 300px", Resize(height=300)),
        ("add a white border", Border((255, 255, 255))),
        ("add a 20px black border", Border((0, 0, 0), pixels=20)),
        ("put a thick red frame around it", Border(RED, scale=2.0)),
        ("pad to 16:9 with black", Pad(16, 9, (0, 0, 0))),
        ("put image 2 onto image 1 at the bottom right", Place(2, 1, CORNER, 0.35)),
        ("add the logo (image 2) to the bottom right", Place(2, 1, CORNER, 0.35)),
        ("paste the second image into the first image", Place(2, 1, CENTRE, 0.35)),
        ("place a small image 2 in the top left corner of image 1", Place(2, 1, Spot("top", "left"), 0.2)),
        ("overlay image 2", Place(2, 1, CENTRE, 0.35)),
        ("put image 1 onto image 2", Place(1, 2, CENTRE, 0.35)),
        ("put them side by side", SideBySide()),
        ("put image 1 and image 2 side by side", SideBySide()),
        ('add the text "SOLD" at the bottom', Caption("SOLD", BOTTOM)),
        ('write "Hi" in the centre in large red letters', Caption("Hi", CENTRE, colour=RED, size=1.4)),
        ('"Sale" at the upper-left', Caption("Sale", Spot("top", "left"))),
        ('add the text "A" at the bottom on a black strip', Caption("A", BOTTOM, strip=(0, 0, 0))),
    ],
)
def test_instructions_with_details(prompt: str, operation: Operation) -> None:
    assert one(prompt) == operation


def test_several_instructions_are_parsed_in_order() -> None:
    assert parse('make it black and white and add the text "SOLD" at the bottom', images=1) == (
        Look("grey"),
        Caption("SOLD", BOTTOM),
    )
    assert names("make it warm, vivid; then add grain and a vignette. Blur it!") == [
        "warm",
        "vivid",
        "grain",
        "vignette",
        "blur",
    ]
    assert names("make it brighter, as a gouache painting") == ["brighter", "gouache"]
    assert names("black and white with grain") == ["grey", "grain"]


def test_a_clause_may_share_the_verb_before_it() -> None:
    assert parse("flip horizontally and vertically", images=1) == (Flip("horizontal"), Flip("vertical"))
    assert names("increase contrast and saturation") == ["more contrast", "vivid"]
    assert parse('add "A" at the top and "B" at the bottom', images=1) == (
        Caption("A", TOP),
        Caption("B", BOTTOM),
    )


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (
            'add the text "Bed and breakfast, then lunch; blur." at the top',
            "Bed and breakfast, then lunch; blur.",
        ),
        ("add the text “Tom & Jerry” at the top", "Tom & Jerry"),
        ("write 'Don't panic' at the top", "Don't panic"),
        ("write \u2018The Dog\u2019s Bone\u2019 at the top", "The Dog\u2019s Bone"),
        ('add the text "turn red into blue" at the top', "turn red into blue"),
        ('add the text "The image 2" at the top', "The image 2"),
    ],
)
def test_quoted_text_is_kept_unchanged(prompt: str, text: str) -> None:
    assert one(prompt) == Caption(text, TOP)


SOME_WORDS = (
    "image 2 onto 16:9 20px at the top left 50% rotate flip crop resize border put text and with , ; a"
)


WORDS = sorted(
    set(SOME_WORDS.split())
    | set(vocabulary.COLOURS)
    | {word for phrase in vocabulary.LOOK_BY_PHRASE for word in phrase.split()}
    | {'"a"', '"', "'", "\u201c", "\ue0000\ue001", "9" * 400, "#fff", "°"}
)


@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)))
def test_any_prompt_is_either_understood_or_refused(prompt: str) -> None:
    try:
        parse(prompt, images=2)
    except Refused as refusal:
        assert str(refusal)
    parse_poster(prompt)


@given(
    st.text(
        alphabet=st.characters(exclude_characters='"', exclude_categories=["Cs"]), min_size=1, max_size=60
    )
)
def test_any_quoted_text_is_kept_unchanged(text: str) -> None:
    prompt = f'make it sepia and add the text "{text}" at the top, then blur'
    if not text.strip():
        with pytest.raises(Refused):
            parse(prompt, images=1)
        return
    assert parse(prompt, images=1) == (Look("sepia"), Caption(text.strip(), TOP), Look("blur"))
