"""The route and price of an edit. The price that is shown is the price that is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from editor import catalog
from editor.access import accounts
from editor.access.accounts import Providers
from editor.access.actor import Actor
from editor.catalog import validation
from editor.catalog.types import Model, Route, Tier
from editor.errors import InvalidInput, Unprocessable
from editor.models import CreditAccount, Job, Workspace
from editor.providers import registry
from editor.queries import limits, offers, usage_rules
from editor.queries.limits import Limit
from editor.queries.offers import Decisions
from editor.queries.usage_rules import Rules

PLATFORM = "platform"
SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Choice:
    """A model, its tier (empty if an exact model was requested) and the route.

    own_key     on the workspace's own key: costs no credits, and there is no other route
    retires_on  the first day on which the model cannot be used; None if an operator set none
    refusal     why the rules of the workspace do not allow it; "" if they do
    """

    model: Model
    tier: str
    route: Route
    own_key: bool = False
    retires_on: date | None = None
    refusal: str = ""

    @property
    def provider(self) -> str:
        """The `provider` of requests: "platform", or the provider of the workspace's own key."""
        return self.route.provider if self.own_key else PLATFORM

    @property
    def keeps_alpha(self) -> bool:
        """Results can be transparent where the source is."""
        return self.model.alpha or self.route.provider == SANDBOX

    @property
    def credits(self) -> int:
        """The price of one sample."""
        return 0 if self.own_key else self.route.credits


@dataclass(frozen=True, slots=True)
class Quote:
    """Credits: the price of all `samples`, the workspace's balance, and what would be left.

    over     the limit that does not allow it; None if all do
    refusal  why the rules of the workspace do not allow it; "" if they do
    """

    model: Model
    samples: int
    credits: int
    balance: int
    over: Limit | None = None
    refusal: str = ""

    @property
    def after(self) -> int:
        return self.balance - self.credits

    @property
    def enough(self) -> bool:
        return self.after >= 0


@dataclass(frozen=True, slots=True)
class Offer:
    """What a workspace can choose from with one provider ("platform" or an own key's).

    tiers, models  by id; None if no provider is set up for it, or an operator switched it off
    preferred      the workspace's default: a tier, a model or ""
    off            models that an operator switched off or that have retired
    """

    tiers: Mapping[str, Choice | None]
    models: Mapping[str, Choice | None]
    preferred: str = ""
    off: frozenset[str] = frozenset()

    @property
    def default(self) -> Choice:
        """The workspace's default, the catalogue's, or else any choice; those that the rules allow first.

        Raises Unprocessable without one.
        """
        preferred = self.tiers.get(self.preferred) or self.models.get(self.preferred)
        usual = self.tiers.get(catalog.catalog().default_tier)
        found = [one for one in (preferred, usual, *self.tiers.values(), *self.models.values()) if one]
        if found:
            return _first_allowed(found)
        raise Unprocessable("No provider is set up. Ask an operator to connect one.")


@dataclass(frozen=True, slots=True)
class _Terms:
    """What decides which routes there are: the keys, the operator's decisions, and the workspace's rules."""

    provider: str
    set_up: Providers
    decided: Decisions
    rules: Rules


def offer(*, workspace: Workspace, provider: str = PLATFORM, rules: Rules = usage_rules.NONE) -> Offer:
    """All choices, in three queries. Raises like `choose` for the provider.

    rules  those that bind the member: a choice that they do not allow says so
    """
    set_up, decided = accounts.available(workspace), offers.decisions(workspace)
    if provider != PLATFORM:
        _check_own_key(workspace=workspace, provider=provider, set_up=set_up)
    entries = catalog.catalog()
    terms = _Terms(provider, set_up, decided, rules)
    return Offer(
        tiers={tier.id: _for_tier(tier, terms) for tier in entries.tiers.values()},
        models={model.id: _for_model(model, terms) for model in entries.models.values()},
        preferred=workspace.default_model,
        off=decided.off,
    )


def choose(
    *,
    workspace: Workspace,
    model: str = "",
    tier: str = "",
    provider: str = PLATFORM,
    prompt_only: bool = False,
    rules: Rules = usage_rules.NONE,
) -> Choice:
    """Resolve an exact model, or else a tier, to the route that will serve it; neither: `Offer.default`.

    provider     "platform": the portal's keys, or the sandbox if the portal has none;
                 else the provider of the workspace's own key
    prompt_only  there are no images; a tier whose model needs one uses its `prompt_models`, and a
                 workspace's default model that needs one is not used
    rules        those that bind the member; without them the choice may be one that is not allowed

    Raises InvalidInput for an unknown model, tier or provider and for a tier or model that the
    provider does not serve; Unprocessable if the provider is not set up: own keys never fall back
    silently.
    """
    what = (
        catalog.get_model(model).label if model else f"the tier {catalog.get_tier(tier).id}" if tier else ""
    )
    if provider != PLATFORM:
        _check_served(model=model, tier=tier or catalog.catalog().default_tier, provider=provider, what=what)
    offered = offer(workspace=workspace, provider=provider, rules=rules)
    choice = offered.models[model] if model else offered.tiers[tier] if tier else offered.default
    if not what and prompt_only and choice and not choice.tier and not choice.model.text_to_image:
        choice = replace(offered, preferred="").default
    if choice is None and model in offered.off:
        raise Unprocessable(f"{what} is not offered any more. Choose another model.")
    if choice is None:
        raise Unprocessable(f"No provider is set up for {what}. Choose another model.")
    if prompt_only and choice.tier and not choice.model.text_to_image:
        return _for_prompt_alone(choice, offered, rules)
    return choice


def _first_allowed(choices: Sequence[Choice]) -> Choice:
    return next((choice for choice in choices if not choice.refusal), choices[0])


def _for_prompt_alone(choice: Choice, offered: Offer, rules: Rules) -> Choice:
    """The tier's model for prompts alone, or the given choice if none is set up at its price or less."""
    offers = [offered.models[name] for name in catalog.get_tier(choice.tier).prompt_models]
    stand_ins = [_of_tier(one, choice.tier, rules) for one in offers if one and one.credits <= choice.credits]
    return _first_allowed(stand_ins) if stand_ins else choice


def _of_tier(choice: Choice, tier: str, rules: Rules) -> Choice:
    refusal = rules.refusal(model=choice.model, tier=tier, provider=choice.route.provider)
    return replace(choice, tier=tier, refusal=refusal)


def _for_tier(tier: Tier, terms: _Terms) -> Choice | None:
    """The tier's model, or else another of its models that is set up; those that the rules allow first."""
    models = catalog.catalog().models
    if terms.provider != PLATFORM:
        entry = catalog.own_key_model(tier, terms.provider)
        found = [_for_model(entry, terms)] if entry else []
    else:
        names = [tier.model, *tier.own_keys.values()]
        found = [_for_model(models[name], terms, preferred=tier.route) for name in names]
    choices = [_of_tier(choice, tier.id, terms.rules) for choice in found if choice]
    return _first_allowed(choices) if choices else None


def _for_model(model: Model, terms: _Terms, preferred: str | None = None) -> Choice | None:
    """Of several routes, one to a provider that the rules allow; None without any."""
    routes = _routes(model, terms)
    if model.id in terms.decided.off or not routes:
        return None
    routes.sort(key=lambda one: (not terms.rules.allow_provider(one.provider), one.provider != preferred))
    return Choice(
        model=model,
        tier="",
        route=terms.decided.priced(routes[0], model),
        own_key=terms.provider != PLATFORM,
        retires_on=terms.decided.retires_on.get(model.id),
        refusal=terms.rules.refusal(model=model, tier="", provider=routes[0].provider),
    )


def _routes(model: Model, terms: _Terms) -> list[Route]:
    """The model's routes that can be used with that provider, in order of preference."""
    if terms.provider != PLATFORM:
        return [route for route in model.routes if route.provider == terms.provider]
    platform = terms.set_up.platform
    if not platform:
        return [_sandbox(model)]
    allows = terms.decided.allows
    return [one for one in model.routes if one.provider in platform and allows(one.provider, model.id)]


def _check_served(*, model: str, tier: str, provider: str, what: str) -> None:
    """Raise InvalidInput if the provider does not serve it, whether set up here or not."""
    known = registry.providers().get(provider)
    if known is None or not known.needs_key:
        raise InvalidInput(f"There is no provider “{provider}”.", fields={"provider": "Unknown provider."})
    if model:
        served = provider in catalog.get_model(model).providers
    else:
        served = catalog.own_key_model(catalog.get_tier(tier), provider) is not None
    if what and not served:
        raise InvalidInput(
            f"{known.label} does not offer {what} with your own key.",
            fields={"provider": f"Not for {what}."},
        )


def _check_own_key(*, workspace: Workspace, provider: str, set_up: Providers) -> None:
    if not workspace.plan.own_keys:
        raise Unprocessable("This workspace's plan does not include its own provider keys.")
    if provider not in set_up.own:
        raise Unprocessable(f"The provider “{provider}” is not set up and enabled in this workspace.")


def _sandbox(model: Model) -> Route:
    """The route of every model if the portal has no keys."""
    return Route(provider=SANDBOX, target=model.id, credits=model.credits, mask=model.mask)


def of_job(job: Job, *, rules: Rules) -> Choice:
    """The route on which a job that waits would run now, on the portal's keys.

    rules  those that bind who asked for it; the choice says if they do not allow it
    Raises Unprocessable if no provider is set up for its model any more.
    """
    offered = offer(workspace=job.workspace, rules=rules)
    of_tier = offered.tiers.get(job.tier)
    choice = of_tier if of_tier and of_tier.model.id == job.model else offered.models.get(job.model)
    if choice is None:
        raise Unprocessable("No provider is set up for the model of this edit any more.")
    return choice


def price(*, choice: Choice, inputs: Mapping[str, Any]) -> int:
    """Credits for one run with these cleaned inputs."""
    return choice.credits * choice.model.samples(inputs)


def quote(*, actor: Actor, choice: Choice, inputs: Mapping[str, Any]) -> Quote:
    """The price of one run. Raises InvalidInput if the inputs are invalid."""
    cleaned = validation.clean_inputs(choice.model, inputs)
    account = CreditAccount.objects.get(workspace=actor.workspace)
    total = price(choice=choice, inputs=cleaned)
    return Quote(
        model=choice.model,
        samples=choice.model.samples(cleaned),
        credits=total,
        balance=account.balance,
        over=limits.binding(limits.of(actor), price=total),
        refusal=choice.refusal,
    )
