"""Small line charts, as the points of SVG polygons and lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 220, 34
MARGIN = 3  # above and below the line, so that it is not cut


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`line` and `area` for the attribute `points`; `tone`: "", "warn" or "bad"."""

    line: str
    area: str
    tone: str = ""
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(values: Sequence[float], *, top: float | None = None, tone: str = "") -> Sparkline:
    """The values from left to right. `top`: the value at the upper edge; by default their highest."""
    highest = max(*values, 0) if top is None else top
    step = WIDTH / max(1, len(values) - 1)
    room = HEIGHT - 2 * MARGIN
    points = [
        f"{number * step:.1f},{HEIGHT - MARGIN - room * (value / highest if highest else 0):.1f}"
        for number, value in enumerate(values)
    ]
    line = " ".join(points)
    return Sparkline(line=line, area=f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}", tone=tone)
