"""Translating OpenAI's fields to catalog inputs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from editor import catalog
from editor.catalog import validation
from editor.catalog.types import Model, Route
from editor.compat.openai import translate
from editor.compat.openai.errors import MissingParameter
from editor.compat.openai.translate import ParsedRequest
from editor.errors import EditorError, InvalidInput

MODELS = list(catalog.catalog().models.values())
FLARE = catalog.get_model("openai/gpt-image-2.6-flare")
KONTEXT = catalog.get_model("black-forest-labs/flux-kontext-pro")
FLUX_2 = catalog.get_model("black-forest-labs/flux-2-pro")
GEMINI = catalog.get_model("google/gemini-3-pro-image")
CREATIVE = catalog.get_model("wiro/flux_kontext_dev_with_2_image")


def inputs(model: Model, *, editing: bool = False, route: Route | None = None, **fields: Any) -> Any:
    parsed = translate.read({"prompt": "a chair", **fields})
    return translate.inputs(parsed, model, route or model.routes[0], editing=editing)


def test_a_prompt_alone_leaves_the_rest_at_defaults() -> None:
    assert translate.read({"prompt": " a chair ", "model": None, "n": None, "stream": None}) == ParsedRequest(
        "a chair"
    )


def test_forms_mean_the_same_as_json() -> None:
    json = {"prompt": "x", "n": 2, "size": "1536x1024", "quality": "low", "stream": True}
    form = {"prompt": "x", "n": "2", "size": "1536x1024", "quality": "low", "stream": "true"}
    assert translate.read(json) == translate.read(form)
    assert translate.read(form).size == (1536, 1024)


@pytest.mark.parametrize("fields", [{}, {"prompt": None}, {"prompt": ""}, {"prompt": "  "}])
def test_the_prompt_is_required(fields: dict[str, Any]) -> None:
    with pytest.raises(MissingParameter) as raised:
        translate.read(fields)
    assert list(raised.value.fields) == ["prompt"]


WRONG: dict[str, list[Any]] = {
    "prompt": [["x"], 7],
    "model": [7],
    "n": [0, 11, -1, "two", True, 1.5, [1], "1" * 5000],
    "size": ["big", "0x0", "1024", "1024x", "x1024", "1024×1024", 1024],
    "quality": ["ultra", 1, "LOW"],
    "background": ["blue"],
    "output_format": ["gif"],
    "response_format": ["bytes"],
    "stream": ["yes", 1, []],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_an_invalid_value_is_reported_by_its_field(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as raised:
        translate.read({"prompt": "x", name: value})
    assert list(raised.value.fields) == [name]


def test_a_transparent_jpeg_is_refused() -> None:
    with pytest.raises(InvalidInput) as raised:
        translate.read({"prompt": "x", "background": "transparent", "output_format": "jpeg"})
    assert list(raised.value.fields) == ["background"]


def test_other_openai_fields_are_ignored() -> None:
    more: Any = {
        "user": "u1",
        "moderation": "low",
        "input_fidelity": "high",
        "output_compression": 90,
        "new": {},
    }
    assert inputs(FLARE, **more) == inputs(FLARE)


def test_n_is_the_number_of_samples() -> None:
    assert inputs(FLARE, n=4)["samples"] == 4
    assert "samples" not in inputs(KONTEXT, n=1)


@pytest.mark.parametrize(("model", "n"), [(FLARE, 5), (KONTEXT, 2)])
def test_more_samples_than_the_model_supports_are_refused(model: Model, n: int) -> None:
    with pytest.raises(InvalidInput) as raised:
        inputs(model, n=n)
    assert list(raised.value.fields) == ["n"]


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ("1024x1024", "1:1"),
        ("1536x1024", "3:2"),
        ("1024x1536", "2:3"),
        ("1792x1024", "16:9"),
        ("3840x1280", "21:9"),
        ("1x99999", "9:16"),
    ],
)
def test_a_size_becomes_the_nearest_aspect_ratio_of_the_model(size: str, shape: str) -> None:
    assert inputs(FLARE, size=size)["aspectRatio"] == shape


def test_aspect_ratios_that_the_route_lacks_are_not_chosen() -> None:
    kie = next(route for route in KONTEXT.routes if "3:2" in route.without.get("aspectRatio", ()))
    assert inputs(KONTEXT, size="1536x1024")["aspectRatio"] == "3:2"
    assert inputs(KONTEXT, size="1536x1024", route=kie)["aspectRatio"] == "4:3"


def test_a_model_with_pixel_sizes_gets_them() -> None:
    found = inputs(FLUX_2, size="1536x1024")
    assert (found["width"], found["height"]) == (1536, 1024)


def test_without_a_size_an_edit_keeps_the_aspect_ratio_of_its_image() -> None:
    found = inputs(FLUX_2, size="auto", editing=True)
    assert (found["width"], found["height"]) == (0, 0)
    assert "width" not in inputs(FLUX_2, size="auto")
    assert "aspectRatio" not in inputs(FLARE, editing=True)


@pytest.mark.parametrize(
    ("size", "resolution"), [("1024x1024", "1K"), ("2048x2048", "2K"), ("3840x2160", "2K")]
)
def test_a_size_becomes_the_nearest_resolution(size: str, resolution: str) -> None:
    assert inputs(GEMINI, size=size)["resolution"] == resolution


def test_a_model_without_sizes_ignores_them() -> None:
    assert inputs(CREATIVE, size="1536x1024") == inputs(CREATIVE)


@pytest.mark.parametrize(
    ("parsed", "given"),
    [
        ("low", "low"),
        ("medium", "medium"),
        ("high", "medium"),
        ("max", "medium"),
        ("hd", "medium"),
        ("standard", "medium"),
    ],
)
def test_a_quality_becomes_the_nearest_of_the_model(parsed: str, given: str) -> None:
    assert inputs(FLARE, quality=parsed)["quality"] == given


def test_automatic_quality_uses_the_models_default() -> None:
    assert "quality" not in inputs(FLARE, quality="auto")
    assert "quality" not in inputs(KONTEXT, quality="high")


def test_only_some_models_make_transparent_backgrounds() -> None:
    assert inputs(FLARE, background="transparent")["background"] == "transparent"
    assert "background" not in inputs(KONTEXT, background="opaque")
    with pytest.raises(InvalidInput) as raised:
        inputs(KONTEXT, background="transparent")
    assert list(raised.value.fields) == ["background"]


def test_images_are_png_unless_another_format_is_requested() -> None:
    assert inputs(KONTEXT)["outputFormat"] == "png"
    assert inputs(KONTEXT, output_format="jpeg")["outputFormat"] == "jpeg"
    assert "outputFormat" not in inputs(GEMINI, output_format="jpeg")
    with pytest.raises(InvalidInput) as raised:
        inputs(KONTEXT, output_format="webp")
    assert list(raised.value.fields) == ["output_format"]


def test_the_seed_is_random_unless_one_is_sent() -> None:
    assert validation.clean_inputs(KONTEXT, inputs(KONTEXT))["seed"] is None
    assert validation.clean_inputs(KONTEXT, inputs(KONTEXT, seed="7"))["seed"] == 7


def test_options_of_the_model_can_be_sent_by_name() -> None:
    found = inputs(KONTEXT, seed=7, promptUpsampling=True, aspectRatio="9:21", size="1024x1024", guidance=3)
    assert (found["seed"], found["promptUpsampling"], found["aspectRatio"]) == (7, True, "9:21")
    assert "guidance" not in found


def test_outputs_are_reported_in_openais_terms() -> None:
    assert (translate.quality_given({"quality": "low"}), translate.quality_given({})) == ("low", "high")
    assert translate.background_given({"background": "transparent"}) == "transparent"
    assert translate.background_given({"background": "auto"}) == "opaque"
    used = translate.usage(8)
    assert (used["total_tokens"], used["credits"]) == (0, 8)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
SENSIBLE = {
    "n": st.integers(1, 4),
    "size": st.builds("{}x{}".format, st.integers(1, 4096), st.integers(1, 4096)),
    "quality": st.sampled_from([*translate.QUALITIES, "auto", "hd"]),
    "background": st.sampled_from(translate.BACKGROUNDS),
    "output_format": st.sampled_from(translate.FORMATS),
}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    fields=st.fixed_dictionaries(
        {"prompt": st.text(min_size=1, max_size=20) | ANYTHING},
        optional={name: values | ANYTHING for name, values in SENSIBLE.items()}
        | dict.fromkeys(("model", "stream", "response_format", "seed", "steps", "samples"), ANYTHING),
    ),
    model=st.sampled_from(MODELS),
    editing=st.booleans(),
)
def test_any_fields_are_accepted_or_refused_with_a_message(
    fields: dict[str, Any], model: Model, editing: bool
) -> None:
    try:
        found = translate.inputs(translate.read(fields), model, model.routes[0], editing=editing)
        cleaned = validation.clean_inputs(model, found)
    except EditorError as error:
        assert error.status == 400
        assert error.fields
    else:
        assert set(cleaned) == {item.name for item in model.options}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    parsed=st.fixed_dictionaries({"size": SENSIBLE["size"], "quality": SENSIBLE["quality"]}),
    model=st.sampled_from(
        [model for model in MODELS if not any(item.name == "width" for item in model.options)]
    ),
    editing=st.booleans(),
)
def test_sizes_and_qualities_are_never_refused_by_a_model_without_pixels(
    parsed: dict[str, Any], model: Model, editing: bool
) -> None:
    for route in model.routes:
        found = validation.clean_inputs(model, inputs(model, editing=editing, route=route, **parsed))
        assert validation.route_problem(route, found) is None
