"""Seeds: the number that decides which of a model's possible results a run gives."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from editor.catalog.types import Model

SEED = "seed"  # the name of the input in every model that has one
LARGEST = 2**31 - 1  # every model and provider accepts it


def draw(model: Model) -> int:
    """A random seed that the model accepts. Raises KeyError for a model without seeds."""
    item = model.input(SEED)
    largest = LARGEST if item.maximum is None else min(LARGEST, int(item.maximum))
    return random.randint(int(item.minimum or 0), largest)  # noqa: S311 (no secret)


def has_seed(model: Model) -> bool:
    """Whether the model has an option for the seed."""
    return any(item.name == SEED for item in model.options)


def drawn_if_empty(model: Model, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, with a random seed in place of an empty one; a missing one stays missing."""
    empty = inputs.get(SEED, "seed") in (None, "") and has_seed(model)
    return dict(inputs) | ({SEED: draw(model)} if empty else {})
