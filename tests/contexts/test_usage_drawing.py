"""The chart as coordinates."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from editor.contexts.usage_drawing import BETWEEN, PAPERS, Column, Paper, draw, tick
from editor.contexts.usage_periods import offered, periods
from editor.queries.usage import Unit

WIDE, SLIM = PAPERS


@pytest.mark.parametrize(
    ("most", "step"),
    [(0, 1), (1, 1), (4, 2), (9.5, 4), (90, 30), (116, 40), (200, 80), (301, 200), (3000, 1000)],
)
def test_the_axis_has_round_numbers_and_room_for_the_highest_column(most: float, step: int) -> None:
    assert tick(most) == step
    assert 3 * tick(most) >= most


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_columns_are_stacked_within_the_paper(paper: Paper) -> None:
    drawing = draw(paper, [Column([30, 10, 0, 5], 0, "1 Nov"), Column([0, 0, 0, 0], 20, "2 Nov")], days=True)
    assert [block.shade for block in drawing.blocks] == [1, 2, 4, 0]
    for block in drawing.blocks:
        assert paper.left <= block.x < block.x + block.width <= paper.width
        assert paper.top <= block.y < block.y + block.height <= paper.bottom
    first, second, third, ahead = drawing.blocks
    assert first.x == second.x == third.x < ahead.x
    assert second.y + second.height == pytest.approx(first.y - BETWEEN, abs=0.1)
    assert [line.text for line in drawing.lines] == ["0", "20", "40", "60"]


def test_the_axis_names_some_days_and_each_week() -> None:
    november = [Column([1], 0, period.label) for period in periods(Unit.DAY, date(2026, 11, 1))]
    assert [label.text for label in draw(WIDE, november, days=True).labels] == [
        *("1 Nov", "5 Nov", "10 Nov", "15 Nov", "20 Nov", "25 Nov", "30 Nov")
    ]
    assert draw(WIDE, november, days=True).labels[-1].anchor == "end"
    assert [label.text for label in draw(SLIM, november, days=True).labels][-1] == "30 Nov"
    weeks = [Column([1], 0, period.label) for period in periods(Unit.WEEK, date(2026, 11, 1))]
    assert len(draw(WIDE, weeks, days=False).labels) == len(weeks)
    assert [label.text for label in draw(SLIM, weeks, days=False).labels][-1] == "30 Nov"


def test_periods_of_each_unit() -> None:
    february = periods(Unit.DAY, date(2028, 2, 1))
    assert (february[0].title, february[-1].title, len(february)) == ("Tue 1 Feb", "Tue 29 Feb", 29)
    weeks = periods(Unit.WEEK, date(2026, 11, 1))
    assert (weeks[-1].start, weeks[-1].end) == (date(2026, 11, 30), date(2026, 12, 6))
    assert all(later.start > earlier.end for earlier, later in pairwise(weeks))
    year = periods(Unit.MONTH, date(2026, 11, 1))
    assert (year[0].title, year[-1].title, year[-1].end) == (
        "December 2025",
        "November 2026",
        date(2026, 11, 30),
    )


def test_months_to_choose_go_back_to_the_first_edit() -> None:
    today = date(2026, 1, 31)
    assert offered(date(2025, 11, 20), today) == [date(2026, 1, 1), date(2025, 12, 1), date(2025, 11, 1)]
    assert offered(today, today) == [date(2026, 1, 1)]
    assert len(offered(date(2001, 1, 1), today)) == 24
