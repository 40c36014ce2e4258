"""The format of a result that matches its source."""

from __future__ import annotations

import pytest

from editor.catalog import get_model
from editor.catalog.matching import FORMAT, output_format


@pytest.mark.parametrize(
    ("model", "content_type", "chosen"),
    [
        ("black-forest-labs/flux-kontext-pro", "image/png", {FORMAT: "png"}),
        ("black-forest-labs/flux-kontext-pro", "image/webp", {FORMAT: "png"}),
        ("black-forest-labs/flux-kontext-pro", "image/jpeg", {FORMAT: "jpeg"}),
        ("openai/gpt-image-2.6-flare", "image/webp", {FORMAT: "webp"}),
        ("google/gemini-3-pro-image", "image/png", {}),
        ("black-forest-labs/flux-kontext-pro", "image/tiff", {}),
    ],
)
def test_the_format_of_the_source_is_chosen_where_it_is_offered(
    model: str, content_type: str, chosen: dict[str, str]
) -> None:
    assert output_format(get_model(model), content_type) == chosen
