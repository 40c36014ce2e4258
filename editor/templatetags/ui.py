"""Template tags and filters shared by the portal's templates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import humanize
from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from editor import phrases
from editor.contexts import pictures

register = template.Library()

SPRITE = "vendor/lucide/sprite.svg"


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """A decorative icon of the sprite; `size` in CSS pixels until the style sheet has loaded.

    A control is named by its text or aria-label, never by its icon.
    """
    return format_html(
        '<svg class="icon" aria-hidden="true" width="{}" height="{}"><use href="{}#{}"/></svg>',
        size,
        size,
        static(SPRITE),
        name,
    )


class Small(Protocol):
    """A picture that can be shown small; `width` and `height` of the whole image, in pixels."""

    thumb_url: str
    thumb_srcset: str
    width: int
    height: int


@register.simple_tag
def thumb(picture: Small, width: int, height: int) -> SafeString:
    """The attributes of an img that covers a box of that size in CSS pixels, sharp on any screen."""
    sizes = pictures.sizes_in_box(picture.width, picture.height, box_width=width, box_height=height)
    return format_html(
        'src="{}" srcset="{}" sizes="{}" width="{}" height="{}"',
        picture.thumb_url,
        picture.thumb_srcset,
        sizes,
        width,
        height,
    )


@register.filter
def credits(amount: int) -> str:
    """An amount with thousands separators and a true minus sign: 1,088 or −4."""
    return f"{amount:,}".replace("-", "−")


@register.filter
def signed_credits(amount: int) -> str:
    """A change of the balance: +400 or −4."""
    return f"+{credits(amount)}" if amount > 0 else credits(amount)


in_credits = register.filter("in_credits", phrases.credits)


@register.filter
def with_code(message: str) -> SafeString:
    """Text in which `backticks` mark code."""
    parts = (
        (part if number % 2 == 0 else format_html("<code>{}</code>", part),)
        for number, part in enumerate(message.split("`"))
    )
    return format_html_join("", "{}", parts)


@register.simple_tag
def local_time(moment: datetime) -> SafeString:
    """A time as "21 Nov 14:02" in the viewer's time zone."""
    local = timezone.localtime(moment)
    return _time(moment, f"{local.day} {local:%b %H:%M}")


@register.simple_tag
def local_date(moment: datetime) -> SafeString:
    """A date as "21 Nov 2027" in the viewer's time zone, for times that may be far away."""
    return _time(moment, _date(timezone.localtime(moment)))


@register.simple_tag
def exact_time(moment: datetime, text: str) -> SafeString:
    """`text` as a <time> element of that moment."""
    return _time(moment, text)


@register.filter
def ago(moment: datetime) -> str:
    """How long ago, as "5 minutes ago" or "2 days ago"; after 30 days the date in the viewer's time zone."""
    passed = timezone.now() - moment
    if passed < timedelta(minutes=1):
        return "just now"
    if passed < timedelta(days=30):
        return humanize.naturaltime(passed, months=False)
    return _date(timezone.localtime(moment))


@register.simple_tag
def time_ago(moment: datetime) -> SafeString:
    """`ago` as a <time> element."""
    return _time(moment, ago(moment))


def _date(local: datetime) -> str:
    return f"{local.day} {local:%b %Y}"


def _time(moment: datetime, text: str) -> SafeString:
    stamp = timezone.localtime(moment).isoformat(timespec="seconds")
    return format_html('<time datetime="{}">{}</time>', stamp, text)
