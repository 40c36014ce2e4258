"""The graph of an image's versions: every version is connected with its source, and lanes do not cross."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from editor.contexts.graph import LANES, Mark, Row, lay_out, reading_order

Parents = dict[int, int | None]


@st.composite
def trees(draw: st.DrawFn) -> Parents:
    """Up to 60 versions, each with an earlier one as its source."""
    count = draw(st.integers(1, 60))
    return {0: None, **{node: draw(st.integers(0, node - 1)) for node in range(1, count)}}


def rows(parents: Parents) -> dict[int, Row]:
    order = reading_order(parents)
    return dict(zip(order, lay_out(order, parents), strict=True))


def test_the_graph_of_seven_versions_and_two_branches() -> None:
    parents: Parents = {1: None, 2: 1, 3: 2, 4: 3, 5: 2, 6: 1, 7: 5}
    assert reading_order(parents) == [1, 2, 3, 4, 5, 7, 6]
    drawn = rows(parents)
    assert {node: row.lane for node, row in drawn.items()} == {1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 7: 1, 6: 2}
    assert [node for node, row in drawn.items() if row.branch] == [5, 6]
    assert drawn[2].marks == (Mark("down", 0), Mark("up", 0), Mark("fork", 1, 0), Mark("through", 2))
    assert drawn[6].marks == (Mark("up", 2),)


@given(trees())
def test_every_version_is_connected_with_its_source(parents: Parents) -> None:
    order, drawn = reading_order(parents), rows(parents)
    assert sorted(order) == sorted(parents)
    for node, source in parents.items():
        if source is None:
            continue
        first, last = order.index(source), order.index(node)
        assert first < last
        lane = drawn[node].lane
        assert Mark("up", lane) in drawn[node].marks
        if last == first + 1:
            assert (lane, Mark("down", lane) in drawn[source].marks) == (drawn[source].lane, True)
        else:
            assert Mark("fork", lane, drawn[source].lane) in drawn[source].marks
            assert all(Mark("through", lane) in drawn[order[at]].marks for at in range(first + 1, last))


@given(trees())
def test_only_the_last_lane_is_shared(parents: Parents) -> None:
    drawn = rows(parents)
    for row in drawn.values():
        through = {mark.lane for mark in row.marks if mark.kind == "through"}
        assert row.lane not in through - {LANES - 1}
        assert all(0 <= mark.lane < LANES for mark in row.marks)
