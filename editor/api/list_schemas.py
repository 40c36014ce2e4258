"""Response schemas of models, styles, characters and limits. All of them are additions."""

from __future__ import annotations

from uuid import UUID

from ninja import Field, Schema

from editor.api.schemas import LimitName, Success
from editor.representations.api import Moment


class Limit(Schema):
    """Credits that can be spent until `resets_at`, or by one edit."""

    limit: LimitName = Field(description="Whose limit it is, and for how long it counts.")
    allowed: int = Field(description="Credits a month, a day, or an edit.")
    used: int = Field(description="Credits that were charged or are held.")
    remaining: int = Field(description="Credits that are left.")
    resets_at: Moment | None = Field(
        description="When the month or the day ends, in `time_zone`. UTC. None: the limit of one edit."
    )


class Limits(Schema):
    """What the holder of the key can spend, and with what."""

    available_credits: int = Field(description="Credits that the workspace can spend.")
    time_zone: str = Field(description="Days and months begin at its midnight.")
    limits: list[Limit] = Field(
        description="All that apply to this key; each edit has to fit into all of them."
    )
    suspended: bool = Field(description="True: an operator has suspended the workspace; no edit can start.")
    models: list[str] = Field(description="The models that may be used: `model` of POST /process.")
    model_tiers: list[str] = Field(description="The tiers that may be used: `model_tier` of POST /process.")


class LimitsOut(Schema):
    success: Success = True
    data: Limits = Field(description="The limits.")


class ModelInput(Schema):
    """One of the `parameters` that a model takes."""

    name: str = Field(description="Its name in `parameters`.")
    label: str = Field(description="Its display name.")
    help: str = Field(description="What it does.")
    type: str = Field(description="`select`, `number`, `float`, `text` or `textarea`.")
    required: bool = Field(description="False: it can be empty.")
    default: str | int | float = Field(description="Used if it is left out.")
    options: list[str] = Field(description="The values of a `select`.")
    minimum: float | None = Field(description="The smallest value.")
    maximum: float | None = Field(description="The largest value.")


class Model(Schema):
    """A model that jobs can run."""

    id: str = Field(description="The `model` of POST /process.")
    label: str = Field(description="Its display name.")
    vendor: str = Field(description="Who made it.")
    description: str = Field(description="What it is good at.")
    credits: int | None = Field(description="Credits for one sample; null if no provider is set up for it.")
    typical_seconds: int = Field(description="Seconds that a job typically takes.")
    tiers: list[str] = Field(description="The tiers that use this model.")
    providers: list[str] = Field(description="The providers that can run it on the workspace's own key.")
    takes_mask: bool = Field(description="Whether it takes a `mask_id`.")
    most_images: int = Field(description="The most images that one job can use.")
    inputs: list[ModelInput] = Field(description="The `parameters` that it takes.")
    not_allowed: str | None = Field(
        description="Why the rules of the workspace do not allow it; null if they do."
    )


class Preset(Schema):
    """A style or a character."""

    id: UUID = Field(description="The `style_id` or `character_id` of POST /process.")
    name: str = Field(description="Its display name.")
    scope: str = Field(description="`system` for presets of every workspace, or `workspace`.")


class ModelsOut(Schema):
    success: Success = True
    data: list[Model] = Field(description="The models.")


class PresetsOut(Schema):
    success: Success = True
    data: list[Preset] = Field(description="The styles or characters.")
