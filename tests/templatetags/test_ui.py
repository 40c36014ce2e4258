"""Numbers, times, icons and marked-up text in templates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from editor.templatetags import ui


def test_an_icon_references_the_sprite_and_is_hidden_from_screen_readers() -> None:
    html = ui.icon("coins")
    assert 'href="/static/vendor/lucide/sprite.svg#coins"' in html
    assert 'aria-hidden="true"' in html


@pytest.mark.parametrize(
    ("amount", "plain", "signed", "price"),
    [
        (0, "0", "0", "0 credits"),
        (1, "1", "+1", "1 credit"),
        (1088, "1,088", "+1,088", "1,088 credits"),
        (-1400, "−1,400", "−1,400", "−1,400 credits"),
    ],
)
def test_credits_are_formatted(amount: int, plain: str, signed: str, price: str) -> None:
    assert ui.credits(amount) == plain
    assert ui.signed_credits(amount) == signed
    assert ui.in_credits(amount) == price


def test_backticks_mark_code_and_markup_is_escaped() -> None:
    html = ui.with_code("Give `image_id` <b> & `a<b`, not `both`.")
    assert html == ("Give <code>image_id</code> &lt;b&gt; &amp; <code>a&lt;b</code>, not <code>both</code>.")
    assert ui.with_code("Plain.") == "Plain."


def test_a_time_is_shown_in_the_viewers_time_zone() -> None:
    moment = datetime(2026, 11, 1, 14, 5, 9, tzinfo=UTC)
    assert ui.local_time(moment) == '<time datetime="2026-11-01T14:05:09+00:00">1 Nov 14:05</time>'
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert ui.local_time(moment) == '<time datetime="2026-11-01T23:05:09+09:00">1 Nov 23:05</time>'


def test_a_distant_date_is_shown_with_its_year() -> None:
    moment = datetime(2027, 12, 31, 23, 30, tzinfo=UTC)
    assert ui.local_date(moment) == '<time datetime="2027-12-31T23:30:00+00:00">31 Dec 2027</time>'
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert ">1 Jan 2028<" in ui.local_date(moment)


@pytest.mark.parametrize(
    ("passed", "message"),
    [
        (timedelta(seconds=-5), "just now"),  # clock skew
        (timedelta(seconds=20), "just now"),
        (timedelta(seconds=60), "a minute ago"),
        (timedelta(minutes=2, seconds=5), "2 minutes ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1, hours=3), "a day ago"),
        (timedelta(days=29), "29 days ago"),
    ],
)
def test_a_recent_time_is_shown_by_its_age(passed: timedelta, message: str) -> None:
    moment = timezone.now() - passed
    assert ui.time_ago(moment) == f'<time datetime="{moment.isoformat(timespec="seconds")}">{message}</time>'


def test_an_old_time_is_shown_by_its_date() -> None:
    moment = timezone.now() - timedelta(days=400)
    assert ui.time_ago(moment) == ui.local_date(moment)


# --- Fragments ---------------------------------------------------------------------------
