"""When a task is polled, for any expected duration."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from editor.engine.poll_schedule import JITTER, LONGEST_WAIT, Expected, next_wait

SECONDS = st.floats(0, 900)
SPREADS = st.floats(0, 300)
SHORTEST = st.floats(0.05, LONGEST_WAIT)


def polls_until(end: float, *, expected: Expected, shortest: float) -> list[float]:
    """The times of all polls of a task that ends `end` seconds after its submit."""
    moments = [0.0]  # a task is polled at once
    while moments[-1] < end:
        moments.append(moments[-1] + next_wait(elapsed=moments[-1], expected=expected, shortest=shortest))
    return moments


@given(elapsed=st.floats(0, 1e7), seconds=SECONDS, spread=SPREADS, shortest=SHORTEST)
def test_a_wait_is_never_too_short_or_too_long(
    elapsed: float, seconds: float, spread: float, shortest: float
):
    wait = next_wait(elapsed=elapsed, expected=Expected(seconds, spread), shortest=shortest)

    assert shortest * (1 - JITTER) <= wait <= LONGEST_WAIT


@given(seconds=SECONDS, spread=SPREADS, shortest=SHORTEST, off=st.floats(-2, 2))
def test_a_task_that_ends_as_expected_needs_few_polls(
    seconds: float, spread: float, shortest: float, off: float
):
    end = max(0.0, seconds + off * spread)
    before = math.ceil(seconds / (LONGEST_WAIT * (1 - JITTER)))
    # Each wait before the window may fall short of it by a tenth, until a tenth is the shortest.
    approach = 2 + math.ceil(max(0.0, math.log(LONGEST_WAIT / shortest, 10)))
    window = math.ceil(12 / (1 - JITTER))

    polls = polls_until(end, expected=Expected(seconds, spread), shortest=shortest)

    assert len(polls) <= 1 + before + approach + window + spread * 4 / LONGEST_WAIT


@given(seconds=st.floats(1, 600), shortest=st.floats(0.05, 3), end=st.floats(0, 1))
def test_the_end_is_noticed_soon_when_it_is_likely(seconds: float, shortest: float, end: float):
    spread = seconds / 10
    ends = seconds + (end - 0.5) * 4 * spread

    seen = polls_until(ends, expected=Expected(seconds, spread), shortest=shortest)[-1]

    assert seen - ends <= min(max(spread / 3, shortest), LONGEST_WAIT)


@given(end=st.floats(0, 3600), typical=st.floats(1, 60))
def test_a_task_of_unknown_duration_needs_a_limited_number_of_polls(end: float, typical: float):
    polls = polls_until(end, expected=Expected.unknown(typical), shortest=1.0)

    # Often up to twice the typical time, then in steps of a quarter of the delay, then every ten seconds.
    closely = min(2 * typical, 16) / (1 - JITTER)
    growing = 4 + math.log(LONGEST_WAIT * 4) / math.log(1 + (1 - JITTER) / 4)
    assert len(polls) <= 2 + closely + growing + end / (LONGEST_WAIT * (1 - JITTER))


@given(first=st.floats(1, 60), then=st.floats(1, 600))
def test_the_expected_duration_converges_to_a_constant_duration(first: float, then: float):
    expected = Expected.unknown(first)

    for _ in range(60):
        expected.learn(then)

    assert abs(expected.seconds - then) <= 0.001 * max(first, then)
    assert expected.spread <= 0.01 * max(first, then)


@given(st.lists(st.floats(0, 3600), max_size=50))
def test_the_expected_duration_stays_within_the_durations(durations: list[float]):
    expected = Expected.unknown(10)

    for seconds in durations:
        expected.learn(seconds)

    assert min([10.0, *durations]) - 1e-6 <= expected.seconds <= max([10.0, *durations]) + 1e-6
    assert expected.spread >= 0
