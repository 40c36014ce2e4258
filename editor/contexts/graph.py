"""Where the versions of an image are drawn: one lane for each line of edits, and the lines between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

LANES = 6  # further branches share the last one

Node = TypeVar("Node", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of line in one row.

    kind    up: from the row's node to the row above; down: to the row below;
            through: past this row; fork: from the node in lane `source` down into this lane
    """

    kind: str
    lane: int
    source: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One version. `branch`: it starts a lane of its own, further down than its source."""

    lane: int
    branch: bool
    marks: tuple[Mark, ...]


def reading_order(parents: Mapping[Node, Node | None]) -> list[Node]:
    """The nodes of a tree, oldest first: an edit follows its source, then come the source's further edits.

    parents  each node's source, in the order of creation
    """
    children: dict[Node | None, list[Node]] = defaultdict(list)
    for node, parent in parents.items():
        children[parent].append(node)
    order: list[Node] = []
    waiting = children[None][::-1]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting += children[node][::-1]
    return order


def lay_out(order: Sequence[Node], parents: Mapping[Node, Node | None]) -> list[Row]:
    """The row of each node, in reading order."""
    place = {node: at for at, node in enumerate(order)}
    sources = [None if (parent := parents[node]) is None else place[parent] for node in order]
    lanes, marks = _lanes(sources), [set[Mark]() for _ in order]
    for at, source in enumerate(sources):
        lane = lanes[at]
        if source is None:
            continue
        marks[at].add(Mark("up", lane))
        if source == at - 1:
            marks[source].add(Mark("down", lane))
            continue
        marks[source].add(Mark("fork", lane, lanes[source]))
        for between in range(source + 1, at):
            marks[between].add(Mark("through", lane))
    return [
        Row(
            lane=lanes[at],
            branch=source is not None and source != at - 1,
            marks=tuple(sorted(marks[at], key=lambda mark: (mark.lane, mark.kind))),
        )
        for at, source in enumerate(sources)
    ]


def _lanes(sources: Sequence[int | None]) -> list[int]:
    """The lane of each row: the first that is free from a branch's source to its last row."""
    lanes: list[int] = []
    taken: list[list[tuple[int, int]]] = [[] for _ in range(LANES)]
    for at, source in enumerate(sources):
        if source is None:
            lanes.append(0)
        elif source == at - 1:
            lanes.append(lanes[source])
        else:
            end = at
            while end + 1 < len(sources) and sources[end + 1] == end:
                end += 1
            lane = next((lane for lane in range(1, LANES) if _is_free(taken[lane], source, end)), LANES - 1)
            taken[lane].append((source, end))
            lanes.append(lane)
    return lanes


def _is_free(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    return all(last < start or end < first for first, last in taken)
