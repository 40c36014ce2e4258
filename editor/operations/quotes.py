"""Binding prices: made when a price is shown, and valid for LIFE whatever prices are by then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from editor import phrases
from editor.access import lookups
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.catalog import validation
from editor.catalog.types import Value
from editor.errors import Conflict, InvalidInput, NotFound
from editor.models import Channel, Quote
from editor.queries import pricing
from editor.queries.pricing import Choice

LIFE = timedelta(minutes=10)
USED_AGAIN = timedelta(minutes=5)  # an equal quote that is valid for longer is returned instead of a new one
KEPT = timedelta(days=7)  # after it expired; see `price`
FORGOTTEN_AT_ONCE = 5_000


class QuoteExpired(Conflict):
    """The quote is not valid any more. Nothing was charged."""

    code = "quote_expired"


def create(*, actor: Actor, choice: Choice, inputs: Mapping[str, object]) -> Quote:
    """A quote of the present price of one run, for this person.

    Raises PermissionDenied, and InvalidInput for invalid inputs.
    """
    actor.require(Permission.VIEW)
    cleaned = validation.clean_inputs(choice.model, inputs)
    now = timezone.now()
    columns = {
        "workspace": actor.workspace,
        "user": actor.user,
        "model": choice.model.id,
        "tier": choice.tier,
        "provider": choice.route.provider,
        "target": choice.route.target,
        "own_key": choice.own_key,
        "samples": choice.model.samples(cleaned),
        "price": pricing.price(choice=choice, inputs=cleaned),
    }
    valid = Quote.objects.filter(**columns, expires_at__gt=now + USED_AGAIN).order_by("-expires_at").first()
    return valid or Quote.objects.create(**columns, expires_at=now + LIFE)


def price(*, actor: Actor, quote_id: str | UUID | None, choice: Choice, inputs: Mapping[str, Value]) -> int:
    """Credits to hold for one run with these cleaned inputs: never more than the quote says.

    The Studio sends the quote whose price it shows. Its page may stay open for long, and its options may have
    changed a moment ago: there, an expired quote is an upper bound, and one for other options does not count.

    Raises NotFound for an unknown quote or one of somebody else, InvalidInput for one for another edit, and
    QuoteExpired.
    """
    current = pricing.price(choice=choice, inputs=inputs)
    if not quote_id:
        return current
    on_page = actor.channel == Channel.WEB
    try:
        quote = lookups.quote(actor, quote_id)
    except NotFound:
        if on_page:
            raise _outdated(current) from None
        raise
    problem = _mismatch(quote, choice, choice.model.samples(inputs))
    if problem and not on_page:
        raise InvalidInput(problem, fields={"quote_id": problem})
    if problem:
        return current
    if quote.expires_at > timezone.now():
        return min(quote.price, current)
    if not on_page:
        raise QuoteExpired(
            "This quote has expired: quotes are valid for ten minutes. Ask for a new one with "
            "POST /estimate-credits. Nothing was charged."
        )
    if current > quote.price:
        raise _outdated(current)
    return current


def honoured(*, price: int, choice: Choice, inputs: Mapping[str, Value]) -> str:
    """What the ledger says about a price that is lower than the present one; "" for any other."""
    current = pricing.price(choice=choice, inputs=inputs)
    return f"The quote was honoured: the price is {current:,} by now" if price < current else ""


def forget() -> int:
    """Delete quotes that expired more than KEPT ago, some at a time; returns how many."""
    old = Quote.objects.filter(expires_at__lt=timezone.now() - KEPT).values("pk")[:FORGOTTEN_AT_ONCE]
    return Quote.objects.filter(pk__in=old).delete()[0]


def _mismatch(quote: Quote, choice: Choice, samples: int) -> str:
    """What the quote was made for instead of this edit; "" if it fits.

    A tier may run another of its models than was expected: the quote holds all the same.
    """
    if quote.tier != choice.tier or (not choice.tier and quote.model != choice.model.id):
        return f"This quote is for {quote.tier or quote.model}, not for {choice.tier or choice.model.id}."
    if (quote.own_key, quote.own_key and quote.provider) != (
        choice.own_key,
        choice.own_key and choice.route.provider,
    ):
        return f"This quote is for {quote.provider if quote.own_key else pricing.PLATFORM} as the provider."
    if quote.samples != samples:
        return f"This quote is for {quote.samples} images, not for {samples}."
    return ""


def _outdated(current: int) -> QuoteExpired:
    return QuoteExpired(
        f"The price on this page is out of date: this edit needs {phrases.credits(current)} now. "
        "Run it again to accept that. Nothing was charged."
    )
