"""Options that follow the image that is edited."""

from __future__ import annotations

from collections.abc import Mapping

from editor.catalog import validation
from editor.catalog.types import Model, Route, Value

FORMAT = "outputFormat"  # the option of those models that let one choose

# A source's content type -> formats that lose nothing of it, the best first.
_FORMATS = {
    "image/jpeg": ("jpeg", "jpg"),
    "image/png": ("png", "webp"),
    "image/webp": ("webp", "png"),
}


def with_format_of(
    content_type: str, model: Model, route: Route, inputs: Mapping[str, Value]
) -> Mapping[str, Value]:
    """The inputs, with the format of a source of this content type as far as model and route have it."""
    matched = {**inputs, **output_format(model, content_type)}
    return inputs if validation.route_problem(route, matched) else matched


def is_jpeg(inputs: Mapping[str, Value]) -> bool:
    """Whether a result with these inputs has a format without alpha."""
    return inputs.get(FORMAT) in _FORMATS["image/jpeg"]


def output_format(model: Model, content_type: str) -> dict[str, str]:
    """The option for a result in the source's format; nothing if the model has none that fits.

    JPEG for JPEG; PNG or WebP for what may have alpha.
    """
    for option in model.options:
        if option.name == FORMAT:
            offered = {choice.value for choice in option.options}
            fitting = [name for name in _FORMATS.get(content_type, ()) if name in offered]
            return {FORMAT: fitting[0]} if fitting else {}
    return {}
