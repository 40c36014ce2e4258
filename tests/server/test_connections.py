"""Connection limits: which connections are accepted, and which are closed for others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from editor.server.connections import MOST, MOST_OF_ONE, SPARE, Bounds, Connections, Room

ROOT = Path(__file__).resolve().parents[2]
PROXY = "127.0.0.1"


class Fake:
    """A connection that records calls."""

    def __init__(self, *, drained: bool = True) -> None:
        self.drained = drained
        self.dropped = False

    def is_drained(self) -> bool:
        return self.drained

    def drop(self) -> None:
        self.dropped = True


def connections(*, total: int = 6, of_one: int = 2) -> Connections:
    return Connections(Bounds(total=total, of_one=of_one), is_proxy=lambda address: address == PROXY)


def enter(room: Connections, address: str, *, idle: bool = True, drained: bool = True) -> Fake:
    fake = Fake(drained=drained)
    if room.admit(fake, address) is not Room.NONE and idle:
        room.idle(fake)
    return fake


@pytest.mark.parametrize(
    ("descriptors", "total", "of_one"),
    [(256, 128, 32), (1024, 512, 128), (4096, 2048, MOST_OF_ONE), (1_048_576, MOST, MOST_OF_ONE)],
)
def test_half_of_the_descriptors_are_a_reserve(descriptors: int, total: int, of_one: int) -> None:
    assert Bounds.of(descriptors) == Bounds(total=total, of_one=of_one)


def test_one_address_closes_its_own_oldest_idle_connection() -> None:
    room = connections()
    other = enter(room, "192.0.2.9")
    first, second, third = (enter(room, "192.0.2.1") for _ in range(3))
    assert [other.dropped, first.dropped, second.dropped, third.dropped] == [False, True, False, False]
    assert len(room) == 3


def test_a_busy_address_gets_no_more_connections() -> None:
    room = connections()
    busy = [enter(room, "192.0.2.1", idle=False) for _ in range(2)]
    assert room.admit(Fake(), "192.0.2.1") is Room.NONE
    assert room.admit(Fake(), "192.0.2.2") is Room.FREE
    room.leave(busy[0])
    assert room.admit(Fake(), "192.0.2.1") is Room.FREE


def test_an_ipv6_network_counts_as_one() -> None:
    room = connections()
    for host in (1, 2):
        enter(room, f"2001:db8::{host}", idle=False)
    assert room.admit(Fake(), "2001:db8::3") is Room.NONE
    assert room.admit(Fake(), "2001:db8:0:1::3") is Room.FREE


def test_a_proxy_has_no_limit_of_its_own() -> None:
    room = connections()
    assert [room.admit(Fake(), PROXY) for _ in range(6)] == [Room.FREE] * 6


def test_at_the_total_limit_the_oldest_idle_connection_is_closed() -> None:
    room = connections()
    busy = enter(room, PROXY, idle=False)
    idle = [enter(room, PROXY) for _ in range(5)]
    assert room.admit(Fake(), "192.0.2.1") is Room.FREE
    assert (busy.dropped, [each.dropped for each in idle]) == (False, [True, False, False, False, False])


def test_a_connection_that_was_busy_meanwhile_is_the_newest_idle_one() -> None:
    room = connections()
    idle = [enter(room, PROXY) for _ in range(6)]
    room.busy(idle[0])
    room.idle(idle[0])
    enter(room, PROXY)
    assert [each.dropped for each in idle[:2]] == [False, True]


def test_a_connection_that_receives_a_body_is_the_newest_idle_one() -> None:
    room = connections()
    idle = [enter(room, PROXY) for _ in range(6)]
    room.idle(idle[0])
    enter(room, PROXY)
    assert [each.dropped for each in idle[:2]] == [False, True]


def test_a_connection_that_is_sending_a_response_is_not_closed() -> None:
    room = connections()
    slow = enter(room, PROXY, drained=False)
    idle = [enter(room, PROXY) for _ in range(5)]
    enter(room, PROXY)
    assert (slow.dropped, idle[0].dropped) == (False, True)


def test_when_all_are_busy_a_few_more_are_reserved_for_health_checks() -> None:
    room = connections()
    for _ in range(6):
        enter(room, PROXY, idle=False)
    spare = [Fake() for _ in range(SPARE)]
    assert {room.admit(each, PROXY) for each in spare} == {Room.SPARE}
    assert room.admit(Fake(), PROXY) is Room.NONE
    room.idle(spare[0])
    assert room.admit(Fake(), PROXY) is Room.SPARE
    assert spare[0].dropped


def test_a_connection_upgraded_to_a_websocket_is_counted_once() -> None:
    room = connections(of_one=1)
    before, after = enter(room, "192.0.2.1"), Fake()
    room.replace(before, after)
    assert len(room) == 1
    assert room.admit(Fake(), "192.0.2.1") is Room.NONE
    room.leave(after)
    room.leave(after)
    assert len(room) == 0
    assert room.admit(Fake(), "192.0.2.1") is Room.FREE


def test_a_process_raises_its_descriptor_limit_to_the_maximum() -> None:
    code = "from editor.server.connections import raise_limit; print(raise_limit())"
    script = f'ulimit -Sn 256; ulimit -Hn 2048; exec "{sys.executable}" -c "{code}"'
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "2048\n"
