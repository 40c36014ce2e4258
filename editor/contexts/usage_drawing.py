"""A stacked chart as coordinates of an SVG, in user units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BETWEEN = 1.5  # the stacked parts of a column


@dataclass(frozen=True, slots=True)
class Paper:
    """The size of a drawing, and where the columns stand in it.

    every  the axis names every so many columns, if they are days; `sparse` of weeks and months
    """

    name: str
    width: int
    height: int
    left: int
    top: int
    bottom: int
    every: int
    sparse: int


@dataclass(frozen=True, slots=True)
class Column:
    """Credits of each part, from the bottom up, those that are expected still, and the axis' label."""

    parts: Sequence[int]
    ahead: float
    label: str


@dataclass(frozen=True, slots=True)
class Block:
    """A rectangle. `shade`: the number of its colour, from 1; 0: a forecast."""

    x: float
    y: float
    width: float
    height: float
    shade: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at an axis; `anchor` as SVG's text-anchor."""

    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Drawing:
    paper: Paper
    blocks: list[Block]
    lines: list[Mark]
    labels: list[Mark]


PAPERS = (
    Paper("wide-chart", width=908, height=214, left=34, top=8, bottom=192, every=5, sparse=1),
    Paper("slim-chart", width=342, height=180, left=30, top=8, bottom=158, every=10, sparse=3),
)


def draw(paper: Paper, columns: Sequence[Column], *, days: bool) -> Drawing:
    step = tick(max((sum(column.parts) + column.ahead for column in columns), default=0))
    scale = (paper.bottom - paper.top) / (3 * step)
    band = (paper.width - paper.left) / len(columns)
    blocks = [
        block
        for number, column in enumerate(columns)
        for block in _column(paper, column, paper.left + band * number, band, scale)
    ]
    return Drawing(
        paper=paper,
        blocks=blocks,
        lines=[
            Mark(paper.left - 8, round(paper.bottom - scale * step * number, 1), f"{step * number:,}", "end")
            for number in range(4)
        ],
        labels=_labels(paper, columns, band, days=days),
    )


def tick(most: float) -> int:
    """A round number of credits of which three are at least `most`."""
    least = max(1, math.ceil(most / 3))
    power = int("1" + "0" * (len(str(least)) - 1))
    return next(factor * power for factor in (1, 2, 3, 4, 5, 6, 8, 10) if factor * power >= least)


def _column(paper: Paper, column: Column, x: float, band: float, scale: float) -> list[Block]:
    width = min(band * 0.65, 44)
    x = round(x + (band - width) / 2, 1)
    blocks, y = [], float(paper.bottom)
    parts = [(credits, shade) for shade, credits in enumerate(column.parts, start=1)]
    for credits, shade in [*parts, (column.ahead, 0)]:
        if not credits:
            continue
        height = credits * scale
        y -= height
        drawn = max(height - BETWEEN, 1)
        blocks.append(Block(x, round(y, 1), round(width, 1), round(drawn, 1), shade))
    return blocks


def _labels(paper: Paper, columns: Sequence[Column], band: float, *, days: bool) -> list[Mark]:
    """Of days the first, and those whose number is a multiple; the axis ends with the last week or month."""
    marks = []
    for number, column in enumerate(columns):
        if days:
            named = number == 0 or (number + 1) % paper.every == 0
        else:
            named = (len(columns) - 1 - number) % paper.sparse == 0
        if named:
            x = round(paper.left + band * (number + 0.5), 1)
            at_end = days and len(columns) - number < 2
            place = (float(paper.width), "end") if at_end else (x, "middle")
            marks.append(Mark(place[0], paper.height - 4, column.label, place[1]))
    return marks
