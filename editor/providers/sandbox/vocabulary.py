"""Tables of the words that the sandbox's parser knows. British and American spellings both work:
`SPELLINGS` is applied before any lookup."""

from __future__ import annotations

from editor.providers.sandbox.operations import Horizontal, Rgb, Vertical


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SPELLINGS = {
    r"\bgray": "grey",
    r"\bcolor": "colour",
    r"\bcenter": "centre",
    r"\bwatercolor": "watercolour",
    r"\bposteriz": "posteris",
    r"\bpixeliz": "pixelis",
    r"\bgreyscal(?:ed)?\b": "greyscale",
    r"\bblack\s*(?:-?and-?|&|n)\s*white\b": "greyscale",
    r"\bb\s?(?:&|and)\s?w\b": "greyscale",
    r"\bblack-and-white\b": "greyscale",
    r"\b(?:side-by-side)\b": "side by side",
}

# Words without meaning for the edit, at any position.
FILLER = words(
    """
    a all also an be can could do entire everything fully here i i'd i'll image it it's its just kindly
    like me my now otherwise our pic photo photograph picture please really should simply so some that the
    then this too totally us want we whole would you your
    """
)

# Words that may precede the name of a look ("turn it into a ...") or follow it ("... style").
LEAD = words(
    """
    add apply as become change colours convert create draw edit get give go have in into look looks make more
    of paint put redo render rendered set shift style tone to transform turn use using with
    """
)
TRAIL = words(
    """
    artwork colours effect effects feel feeling filter finish grade light look looks mode mood of on over
    photography scene still style styled tone toned tones treatment version
    """
)

STRENGTHS = {
    r"very slightly|very subtly|very subtle|tiny bit|touch": 0.35,
    r"slightly|slight|bit|little bit|little|somewhat|subtly|subtle|gently|gentle|mildly|mild": 0.55,
    r"very|much|strongly|strong|lot|heavily|heavy|extremely|extreme|super|intensely|intense|far": 1.7,
}


# Name of the look -> its phrases.
_LOOK_PHRASES = {
    "grey": """greyscale, grey, monochrome, monochromatic, bw, remove colour, remove colours, no colour,
        without colour, colourless, noir, film noir, greyscale film noir""",
    "sepia": "sepia, sepia toned",
    "warm": "warm, warmer, warm up, warmth",
    "cool": "cool, cooler, cold, colder, cool down",
    "vintage": """vintage, vintage film, retro, old, aged, faded, nostalgic, old fashioned, old-fashioned,
        analogue, analogue film""",
    "brighter": "bright, brighter, brighten, brighten up, lighter, lighten, lighten up",
    "darker": "dark, darker, darken, dim, dimmer",
    "more contrast": """contrast, contrasty, punchy, punchier, dramatic, high-contrast, rich contrast,
        deep contrast""",
    "less contrast": "soft contrast, flat, flatter, low-contrast",
    "vivid": "vivid, vibrant, saturate, saturated, colourful, bolder colours",
    "muted": """muted, mute, desaturate, desaturated, pastel, pale pastel, less vivid, less saturated,
        less colourful, less vibrant""",
    "matte": "matte, muted matte",
    "invert": "invert, inverted, negative, inverse",
    "night": """night, nighttime, night time, night-time, at night, day into night, day to night, nocturnal,
        moonlit""",
    "cinematic": "cinematic, cinematic film, cinema, movie",
    "golden hour": "golden hour, golden-hour, warm golden hour, warm morning",
    "blur": "blur, blurred, blurry, blurrier, soften, softer, gaussian blur, out of focus",
    "soft focus": """soft focus, soft-focus, soft focus glow, soft-focus glow, dreamy, dreamy soft focus,
        dreamy soft-focus glow, soft glow""",
    "sharpen": "sharpen, sharp, sharper, crisp, crisper",
    "pencil sketch": """pencil sketch, pencil, pencil drawing, sketch, sketched, drawing, hand drawn,
        hand-drawn, charcoal drawing, line drawing""",
    "ink": "ink, ink drawing, black ink, black ink drawing, pen drawing, ink sketch",
    "gouache": "gouache, gouache painting, painting, painted, painterly, oil painting, brush strokes",
    "watercolour": "watercolour, watercolour painting, watercolour wash, aquarelle",
    "posterise": "posterise, posterised, posterisation",
    "pop art": "pop art, pop-art, popart, pop, pop art screen print, pop art print, warhol",
    "risograph": "risograph, risograph print, riso, riso print, two-colour risograph print",
    "pixelate": "pixelate, pixelated, pixelise, pixelised, mosaic",
    "pixel art": "pixel art, pixel-art, 8-bit, 8 bit",
    "vignette": "vignette, vignetting, dark corners, darken corners, darken edges, dark edges",
    "grain": "grain, grainy, film grain, noise, noisy",
}

# Name of the look -> phrases for what it does anyway. After the look they are accepted and add
# nothing ("a gouache painting with visible brush strokes"); on their own they are not understood.
_TRAIT_PHRASES = {
    "more contrast": "deep shadows, deep blacks, bright highlights",
    "less contrast": "lifted shadows, lifted blacks, soft shadows",
    "matte": "lifted blacks, lifted shadows, soft colours",
    "vintage": "faded colours, faded colour, yellowed whites, lifted blacks, fine grain",
    "night": """deep blue shadows, blue shadows, moonlight, soft moonlight, warm glowing lights,
        glowing lights""",
    "cinematic": "teal shadows, amber highlights, orange highlights, warm highlights, colour grading",
    "golden hour": "low sun, low warm sun, warm sunlight, golden light, soft golden haze, golden haze",
    "soft focus": "bright airy light, airy light, soft halos, glowing highlights",
    "pencil sketch": """graphite lines, fine graphite lines, fine lines, soft shading, light shading, paper,
        white paper""",
    "ink": "brush lines, bold brush lines, bold lines, solid shadows, solid black shadows, cream paper",
    "gouache": """brush strokes, visible brush strokes, opaque paint, opaque colour, flat opaque colour,
        matte finish, paper grain, light paper grain, paper texture""",
    "watercolour": """washes, soft washes, transparent washes, soft transparent washes, pigment edges,
        dried pigment edges, paper showing through, paper texture""",
    "posterise": "flat colour, flat colours, few colours",
    "pop art": "bold flat inks, flat inks, bold colours, halftone dots",
    "risograph": """overlapping inks, overlapping pink, teal inks, grainy texture, slight misregistration,
        misregistration""",
    "pixel art": """square pixels, large square pixels, large pixels, limited palette,
        limited colour palette, hard edges""",
}

# Every edit of the sandbox keeps these, so a prompt may request it.
KEPT = ("subject", "subjects", "composition", "framing", "layout", "pose", "scene")

# Quality -> the look for more of it, the look for less of it.
_QUALITIES: dict[str, tuple[str, str | None]] = {
    "warmth": ("warm", "cool"),
    "temperature": ("warm", "cool"),
    "brightness": ("brighter", "darker"),
    "exposure": ("brighter", "darker"),
    "light": ("brighter", "darker"),
    "contrast": ("more contrast", "less contrast"),
    "saturation": ("vivid", "muted"),
    "vibrance": ("vivid", "muted"),
    "colour": ("vivid", "muted"),
    "colours": ("vivid", "muted"),
    "sharpness": ("sharpen", None),
    "detail": ("sharpen", None),
}
_MORE = words("increase more higher high raise boost enhance add")
_LESS = words("decrease less lower low reduce drop")


def _look_by_phrase() -> dict[str, str]:
    table = {
        " ".join(phrase.split()): name
        for name, phrases in _LOOK_PHRASES.items()
        for phrase in phrases.split(",")
    }
    for quality, (more, less) in _QUALITIES.items():
        table |= {f"{verb} {quality}": more for verb in _MORE}
        if less is not None:
            table |= {f"{verb} {quality}": less for verb in _LESS}
    return table


TRAITS = {
    name: frozenset(" ".join(phrase.split()) for phrase in phrases.split(","))
    for name, phrases in _TRAIT_PHRASES.items()
}
LOOKS = frozenset(_LOOK_PHRASES)
LOOK_BY_PHRASE = _look_by_phrase()

# Looks whose strength may be given as "by 20 %".
MEASURED_LOOKS = frozenset({"brighter", "darker", "more contrast", "less contrast", "vivid", "muted"})

COLOURS: dict[str, Rgb] = {
    "red": (214, 40, 40),
    "crimson": (175, 20, 50),
    "maroon": (110, 15, 30),
    "orange": (240, 130, 30),
    "coral": (255, 120, 95),
    "brown": (125, 75, 35),
    "beige": (225, 205, 170),
    "cream": (250, 240, 210),
    "gold": (220, 170, 50),
    "golden": (220, 170, 50),
    "yellow": (250, 215, 40),
    "olive": (120, 125, 40),
    "lime": (160, 215, 40),
    "green": (45, 155, 70),
    "mint": (150, 220, 185),
    "teal": (15, 130, 130),
    "turquoise": (50, 205, 195),
    "cyan": (30, 200, 225),
    "aqua": (30, 200, 225),
    "blue": (35, 90, 215),
    "navy": (20, 35, 95),
    "indigo": (70, 50, 170),
    "purple": (125, 50, 165),
    "violet": (140, 85, 205),
    "lavender": (195, 175, 235),
    "magenta": (215, 35, 160),
    "fuchsia": (215, 35, 160),
    "pink": (245, 130, 180),
    "white": (255, 255, 255),
    "silver": (192, 192, 196),
    "grey": (128, 128, 128),
    "black": (0, 0, 0),
}
NEUTRALS = frozenset({"white", "silver", "grey", "black"})

# Word before a colour -> (saturation factor, value factor).
SHADES: dict[str, tuple[float, float]] = {
    "bright": (1.25, 1.25),
    "vivid": (1.4, 1.15),
    "neon": (1.6, 1.3),
    "deep": (1.2, 0.7),
    "dark": (1.1, 0.6),
    "light": (0.55, 1.25),
    "pale": (0.4, 1.3),
    "pastel": (0.45, 1.3),
}

VERTICALS: dict[str, Vertical] = {
    "top": "top",
    "upper": "top",
    "bottom": "bottom",
    "lower": "bottom",
    "foot": "bottom",
    "middle": "centre",
    "centre": "centre",
}
HORIZONTALS: dict[str, Horizontal] = {
    "left": "left",
    "right": "right",
    "centre": "centre",
    "middle": "centre",
}

TEXT_SIZES = {"tiny": 0.45, "small": 0.65, "medium": 1.0, "large": 1.4, "big": 1.4, "huge": 2.0, "giant": 2.0}
PLACE_SIZES = {
    "tiny": 0.12,
    "small": 0.2,
    "medium": 0.35,
    "large": 0.6,
    "big": 0.6,
    "huge": 0.8,
    "giant": 0.8,
}
BORDER_SIZES = {"thin": 0.4, "narrow": 0.4, "small": 0.5, "thick": 2.0, "wide": 2.0, "big": 2.0, "large": 2.0}

# What may be left of a clause about a caption, an image or a border after its details were extracted.
CAPTION_WORDS = words(
    """
    add bold caption colour draw font headline heading in insert label lettering letters line of on overlay
    place print put reading reads saying says show stamp text title type watermark with word words write
    written
    """
)
PLACE_WORDS = words(
    """
    add as badge combine composite copy image image1 in insert into logo on onto over overlay paste place put
    size stamp sticker to top watermark with
    """
)
BESIDE_WORDS = words(
    """
    and arrange both combine image1 image2 image3 image4 images in join photos pictures place put show them
    two
    """
)
BORDER_WORDS = words(
    """
    add around border borders colour coloured draw frame give in of put size width with
    """
)

NAMED_RATIOS = {"square": (1, 1), "portrait": (4, 5), "landscape": (3, 2), "widescreen": (16, 9)}
FACTORS = {"half": 0.5, "double": 2.0, "twice": 2.0, "triple": 3.0, "third": 1 / 3, "quarter": 0.25}
