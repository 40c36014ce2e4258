"""list_models and estimate_credits."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from editor import catalog
from editor.access.actor import Actor
from editor.access.scopes import READ
from editor.concurrency.threads import in_thread
from editor.errors import PermissionDenied
from editor.mcp.tools import rows, schemas
from editor.mcp.tools.base import Annotations, Answer, Arguments, Call, Tool
from editor.queries import pricing, usage_rules
from editor.queries.pricing import PLATFORM, Offer


class ListModels(Arguments):
    model: str = Field("", description="Only this model, with full parameters.")


class Models(BaseModel):
    models: list[rows.ModelOut]


class EstimateCredits(Arguments):
    model: str = Field("", description="An exact model. Leave it out to use model_tier.")
    model_tier: str = Field(
        "",
        description="The quality, which selects the model; if neither is given, the workspace's default.",
        json_schema_extra=lambda schema: schema.update(enum=["", *schemas.tiers()]),
    )
    provider: str = Field(PLATFORM, json_schema_extra=lambda schema: schema.update(enum=schemas.providers()))
    parameters: dict[str, Any] = Field(default_factory=dict, description="As in edit_image.")


class Estimate(BaseModel):
    model: str
    model_tier: str | None
    estimated_credits: int
    available_credits: int
    can_proceed: bool


async def _list_models(call: Call, parsed: ListModels) -> Answer:
    entries = [catalog.get_model(parsed.model)] if parsed.model else catalog.catalog().models.values()
    offered = await in_thread(_offer, call.actor)
    found = [rows.model(entry, offered=offered, in_full=bool(parsed.model)) for entry in entries]
    return Answer(Models(models=found).model_dump(mode="json"))


def _offer(actor: Actor) -> Offer:
    return pricing.offer(workspace=actor.workspace, rules=usage_rules.of(actor))


async def _estimate_credits(call: Call, parsed: EstimateCredits) -> Answer:
    return Answer((await in_thread(_estimate, call.actor, parsed)).model_dump(mode="json"))


def _estimate(actor: Actor, parsed: EstimateCredits) -> Estimate:
    choice = pricing.choose(
        workspace=actor.workspace,
        model=parsed.model,
        tier=parsed.model_tier,
        provider=parsed.provider,
        rules=usage_rules.of(actor),
    )
    if choice.refusal:
        raise PermissionDenied(choice.refusal)
    quote = pricing.quote(actor=actor, choice=choice, inputs=parsed.parameters)
    return Estimate(
        model=choice.model.id,
        model_tier=choice.tier or None,
        estimated_credits=quote.credits,
        available_credits=quote.balance,
        can_proceed=quote.enough and quote.over is None,
    )


_READS = Annotations(read_only=True, destructive=False, idempotent=True, open_world=False)

LIST_MODELS = Tool(
    name="list_models",
    title="List models",
    description="Lists the models that edit_image can use, with their prices, inputs and parameters.",
    annotations=_READS,
    scope=READ,
    arguments=ListModels,
    input_schema=schemas.of_input(ListModels),
    output_schema=schemas.of_output(Models),
    run=_list_models,
)
ESTIMATE_CREDITS = Tool(
    name="estimate_credits",
    title="Estimate credits",
    description="Returns what an edit would cost at most, and whether the workspace can afford it. "
    "Starts nothing.",
    annotations=_READS,
    scope=READ,
    arguments=EstimateCredits,
    input_schema=schemas.of_input(EstimateCredits),
    output_schema=schemas.of_output(Estimate),
    run=_estimate_credits,
)
