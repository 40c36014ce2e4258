"""Types of the catalogue: frozen data about models, their inputs and the tiers.

`loader.py` builds them from the TOML files, fully validated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

InputType = Literal["text", "textarea", "select", "number", "float", "combinefileinput"]
Role = Literal["prompt", "image", "images", "option"]
TierId = Literal["creative", "standard", "pro"]

# A cleaned option. None only if the input may be empty (a seed: random).
Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select input. `label` is the provider's, `display_label` what users see."""

    value: str
    label: str
    display_label: str


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a model, as the provider lists it.

    label, help    the provider's texts, which may be raw keys such as "inferencesteps"
    display_*      what users see; the same as label and help if the file has nothing better
    role           who fills it: the composer ("prompt"), the stage ("image", "images") or the options
    default        in the type of the input; a text input holds even a number as text
    minimum, ...   limits of a number, both or none; on a text input they mean that it holds an integer
    zero_allowed   0 is allowed besides minimum..maximum and means "match the input image"
    required       False: may be empty, which means None and not the default
    maximum_items  how many images fit, for role "images"
    advanced       shown in the Advanced section
    """

    name: str
    label: str
    help: str
    display_label: str
    display_help: str
    type: InputType
    role: Role
    default: str | int | float
    options: tuple[Option, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    multiple_of: int = 1
    zero_allowed: bool = False
    required: bool = True
    maximum_items: int = 0
    advanced: bool = False

    @property
    def whole_number(self) -> bool:
        """The value is an int, whether the provider calls the input "number" or "text"."""
        return self.type == "number" or (self.type == "text" and self.minimum is not None)


@dataclass(frozen=True, slots=True)
class Route:
    """One way to reach a model.

    target   the model's name at that provider
    credits  the price of one sample on this route
    mask     a mask limits the edit on this route too
    without  values of select inputs that this route does not offer, by the input's name
    """

    provider: str
    target: str
    credits: int
    mask: bool
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Idea:
    """A short prompt to start from, offered as a chip; the built-in sandbox can do each of them."""

    label: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model that can be run.

    routes              in order of preference; the sandbox runs every model and is not among them
    credits             the price of one sample, unless a route has its own price
    typical_seconds     typical duration
    time_limit_seconds  after this the job fails and its credits are refunded
    sample_prompts      the vendor's own examples, unabridged
    mask                a mask may limit the edit, on some route or in the sandbox
    mask_required       an edit needs a mask
    alpha               results can have transparent parts
    samples_input       the option with the number of results, each at the price of one sample;
                        "" if there is always one
    """

    id: str
    label: str
    vendor: str
    description: str
    inputs: tuple[Input, ...]
    routes: tuple[Route, ...]
    credits: int
    typical_seconds: int
    time_limit_seconds: int
    sample_prompts: tuple[str, ...]
    ideas: tuple[Idea, ...]
    mask: bool
    mask_required: bool = False
    alpha: bool = False
    samples_input: str = ""

    def input(self, name: str) -> Input:
        """The input with that name. Raises KeyError."""
        for item in self.inputs:
            if item.name == name:
                return item
        raise KeyError(name)

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers that it has a route to, in order of preference."""
        return tuple(route.provider for route in self.routes)

    @property
    def options(self) -> tuple[Input, ...]:
        """The inputs with the role "option", in the provider's order."""
        return tuple(item for item in self.inputs if item.role == "option")

    @property
    def minimum_images(self) -> int:
        return sum(item.required for item in self.inputs if item.role in ("image", "images"))

    @property
    def maximum_images(self) -> int:
        return sum(
            item.maximum_items if item.role == "images" else item.role == "image" for item in self.inputs
        )

    @property
    def text_to_image(self) -> bool:
        """A prompt alone is enough."""
        return self.minimum_images == 0

    @property
    def maximum_samples(self) -> int:
        """The most results of one run."""
        return int(self.input(self.samples_input).maximum or 1) if self.samples_input else 1

    def samples(self, inputs: Mapping[str, Value]) -> int:
        """The number of results of a run with these cleaned inputs."""
        count = inputs[self.samples_input] if self.samples_input else 1
        if not isinstance(count, int):
            raise TypeError("samples() takes what clean_inputs() returned")
        return count


@dataclass(frozen=True, slots=True)
class Tier:
    """A named level of quality.

    route          a provider; None follows the model's own order
    own_keys       provider -> the model to use with a workspace's own key at that provider, if it
                   is not `model`
    prompt_models  replace a model that needs an image when there is only a prompt: the first that
                   is set up and not more expensive
    """

    id: TierId
    label: str
    model: str
    route: str | None
    own_keys: Mapping[str, str]
    prompt_models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models and tiers. Tiers are in display order."""

    models: Mapping[str, Model]
    tiers: Mapping[str, Tier]
    default_tier: TierId
