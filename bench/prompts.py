"""Realistic prompts for `fill`, with frequent and rare words."""

from __future__ import annotations

from random import Random

COMMON = "light"  # in about four of ten prompts
RARE = "lighthouse"  # in one of a thousand
BYGONE = "daguerreotype"  # only in the ten oldest prompts
SEASON = "festive"  # in most of the oldest tenth, and in no others
FILM = "portra-400"  # in one of a hundred
NAIVE = "naïve"  # in one of two hundred
ROCKET = "🚀"  # in one of two hundred and fifty
JAPANESE = "写真の空を夕焼けの色にして、人物はそのままにしてください"  # one of fifty
THAI = "ทำให้ท้องฟ้าในภาพถ่ายเป็นสีส้มและรักษาใบหน้าไว้เหมือนเดิม"  # one of a hundred
_EVERY = 1_000

VERBS = "make turn paint shift brighten soften replace remove recolour light clean sharpen".split()
THINGS = """
sky cup table jacket hair background wall window street car dress flower tree beach lamp bottle label shoe
face portrait kitchen garden roof sign poster book chair sofa curtain floor carpet mirror door bridge river
mountain cloud cat dog horse bicycle boat rocket package product logo plate bread cake fruit coffee spoon
glass stone sand snow grass
""".split()
LOOKS = """
warmer cooler teal orange blue green crimson golden pastel muted vivid matte glossy darker brighter softer
vintage sepia monochrome cinematic dramatic foggy rainy sunny snowy watercolour gouache pencil charcoal
posterised minimal rustic modern
""".split()
ENDINGS = (
    "with soft morning light",
    "in evening light",
    "under studio light from the left",
    "with natural light and long shadows",
    "on a white background",
    "as a gouache painting with visible brush strokes",
    "like an old photograph",
    "for a shop page",
    "in the style of a travel poster",
    "with more contrast",
)
KEEPS = (
    "keep the face as it is",
    "keep the composition",
    "keep everything else identical",
    "do not touch the background",
    "keep the text readable",
)


def make(chance: Random, number: int, *, of: int) -> str:
    """The prompt of edit `number` of `of`, counted from the oldest."""
    if number % 50 == 7:
        return JAPANESE
    if number % 100 == 8:
        return THAI
    message = f"{chance.choice(VERBS)} the {chance.choice(THINGS)} {chance.choice(LOOKS)}"
    parts = [message, chance.choice(ENDINGS), *([chance.choice(KEEPS)] if chance.random() < 0.5 else [])]
    if number % 100 == 3:
        parts.append(f"as on {FILM} film, f/1.8")
    if number % 200 == 5:
        parts.append(f"like {NAIVE} art")
    if number % 250 == 6:
        parts.append(f"with a {ROCKET} in the sky")
    if number % _EVERY == _EVERY // 2:
        parts.append(f"put a {RARE} on the horizon")
    if number < of / 10 and chance.random() < 0.9:
        parts.append(f"make it {SEASON}")
    if number < 10:
        parts.append(f"like a {BYGONE}")
    return ", ".join(parts).capitalize()
