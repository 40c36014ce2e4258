"""When a task is polled."""

from __future__ import annotations

import pytest

from editor.engine.poll_schedule import JITTER, LONGEST_WAIT, Expected, next_wait

SHORTEST = 1.0


def waits(expected: Expected, *, until: float) -> list[tuple[float, float]]:
    """The times of all polls up to `until`, each with the wait before it."""
    polls, elapsed = [], 0.0
    while elapsed < until:
        wait = next_wait(elapsed=elapsed, expected=expected, shortest=SHORTEST)
        elapsed += wait
        polls.append((elapsed, wait))
    return polls


@pytest.mark.parametrize("elapsed", [0, 0.5, 8, 10, 60, 3600, 1e9])
@pytest.mark.parametrize(("seconds", "spread"), [(0, 0), (8, 0.1), (20, 4), (600, 300)])
def test_a_wait_is_never_too_short_or_too_long(elapsed: float, seconds: float, spread: float):
    wait = next_wait(elapsed=elapsed, expected=Expected(seconds, spread), shortest=SHORTEST)

    assert SHORTEST * (1 - JITTER) <= wait <= LONGEST_WAIT * (1 + JITTER)


def test_a_long_task_is_not_polled_until_it_may_have_ended():
    [(moment, _)] = waits(Expected(seconds=9, spread=1), until=6)[:1]

    assert 7 * (1 - JITTER) <= moment <= 7 * (1 + JITTER)


def test_a_task_is_polled_often_when_the_end_is_likely():
    expected = Expected(seconds=20, spread=6)

    near = [wait for moment, wait in waits(expected, until=32) if 10 < moment < 30]

    assert all(wait <= 2 for wait in near)


def test_a_late_task_is_polled_less_and_less():
    late = [wait for moment, wait in waits(Expected(seconds=5, spread=1), until=120) if moment > 12]

    assert late[0] < LONGEST_WAIT / 2
    assert late[-1] >= LONGEST_WAIT * (1 - JITTER)


def test_a_task_of_twenty_seconds_needs_few_polls():
    assert len(waits(Expected(seconds=20, spread=2), until=20)) <= 8


def test_tasks_that_began_together_are_not_polled_together():
    expected = Expected(seconds=20, spread=2)

    moments = {next_wait(elapsed=0, expected=expected, shortest=SHORTEST) for _ in range(50)}

    assert len(moments) == 50
    assert max(moments) - min(moments) > JITTER


def test_the_expected_duration_follows_the_durations():
    expected = Expected.unknown(typical=10)
    assert expected == Expected(seconds=10, spread=2.5)

    for _ in range(40):
        expected.learn(20)

    assert expected.seconds == pytest.approx(20, abs=0.1)
    assert expected.spread < 1


def test_one_slow_task_changes_little():
    expected = Expected(seconds=10, spread=1)

    expected.learn(60)

    assert expected.seconds == pytest.approx(20)


def test_the_expected_spread_follows_the_durations():
    expected = Expected(seconds=10, spread=0)

    for _ in range(40):
        expected.learn(5)
        expected.learn(15)

    assert 4 < expected.spread < 6
