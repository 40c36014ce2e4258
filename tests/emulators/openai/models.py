"""The supported image models, and what each accepts."""

from __future__ import annotations

from dataclasses import dataclass

FIXED_SIZES = ("1024x1024", "1536x1024", "1024x1536")
_THREE = ("low", "medium", "high")
_FIVE = (*_THREE, "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Model:
    """The parameters of one model.

    free_size     any width and height that `fields.check_size` accepts; else the three fixed ones
    fidelities    values of input_fidelity; empty: the field must be left out
    """

    free_size: bool = True
    qualities: tuple[str, ...] = _FIVE
    fidelities: tuple[str, ...] = ()
    transparent: bool = True
    markup: bool = True
    complexity: bool = True


_NEWEST = Model()
_TWO = Model(qualities=_THREE, markup=False, complexity=False)

MODELS = {
    "gpt-image-2.6-sunburst": _NEWEST,
    "gpt-image-2.6-flare": _NEWEST,
    "gpt-image-2.5-sunburst": _NEWEST,
    "gpt-image-2.5-sunburst-2026-09-08": _NEWEST,
    "gpt-image-2.5-flare": _NEWEST,
    "gpt-image-2.5-flare-2026-09-08": _NEWEST,
    "gpt-image-2": _TWO,
    "gpt-image-2-2026-04-21": _TWO,
    "gpt-image-1.5": Model(
        free_size=False, qualities=_THREE, fidelities=("high", "low"), markup=False, complexity=False
    ),
    "gpt-image-1-mini": Model(
        free_size=False, qualities=_THREE, fidelities=("low",), markup=False, complexity=False
    ),
    # The contract does not mention fidelity and transparency here: both are refused.
    "chatgpt-image-latest": Model(
        free_size=False, qualities=_THREE, transparent=False, markup=False, complexity=False
    ),
}
