"""The Studio's options: the control of each input, its rendering, and the submitted values."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string

from editor.catalog import catalog, get_model, seeds
from editor.catalog.types import Model
from editor.catalog.validation import clean_inputs
from editor.web.forms.model_inputs import ModelInputsForm, build_form

KONTEXT = get_model("black-forest-labs/flux-kontext-pro")
KONTEXT_DEV = get_model("wiro/flux_kontext_dev_with_2_image")
FLUX_2 = get_model("black-forest-labs/flux-2-pro")
MODELS = list(catalog().models.values())

Element = tuple[str, dict[str, str | None]]


class Page(HTMLParser):
    """The start tags of a fragment, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def controls(self, name: str | None = None) -> list[Element]:
        """Inputs and selects, optionally of one name."""
        found = [element for element in self.elements if element[0] in ("input", "select", "textarea")]
        return [(tag, attrs) for tag, attrs in found if name in (None, attrs["name"])]


def draw(form: ModelInputsForm) -> Page:
    fields = [*form.common_fields, *form.advanced_fields]
    return Page(render_to_string("studio/_inputs.html", {"fields": fields}))


# --- What is drawn -----------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_option_has_a_named_control_that_belongs_to_the_composer(model: Model) -> None:
    controls = draw(build_form(model)).controls()
    assert {attrs["name"] for _, attrs in controls} == {item.name for item in model.options}
    assert {attrs["form"] for _, attrs in controls} == {"studio-form"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_control_has_a_label_and_every_reference_has_a_target(model: Model) -> None:
    page = draw(build_form(model, data={item.name: "wrong" for item in model.options}))
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    labelled = {attrs["for"] for tag, attrs in page.elements if tag == "label" and "for" in attrs}
    for _, attrs in page.controls():
        assert attrs["type" if attrs.get("type") == "radio" else "id"] in {"radio"} | labelled
    described = [attrs["aria-describedby"] for _, attrs in page.elements if "aria-describedby" in attrs]
    assert described
    assert {name for names in described for name in (names or "").split()} <= ids


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_no_inline_code_violates_the_content_security_policy(model: Model) -> None:
    for tag, attrs in draw(build_form(model)).elements:
        assert tag not in ("script", "style")
        assert not [name for name in attrs if name == "style" or name.startswith("on")]


def test_few_choices_are_a_segment_with_the_default_checked() -> None:
    radios = draw(build_form(KONTEXT)).controls("outputFormat")
    assert [(attrs["type"], attrs["value"], "checked" in attrs) for _, attrs in radios] == [
        ("radio", "match", True),
        ("radio", "jpeg", False),
        ("radio", "png", False),
    ]


def test_many_choices_are_a_select() -> None:
    page = draw(build_form(KONTEXT))
    [(tag, attrs)] = page.controls("aspectRatio")
    options = [attrs["value"] for name, attrs in page.elements if name == "option"]
    assert (tag, attrs["class"]) == ("select", "inp")
    assert options == [option.value for option in KONTEXT.input("aspectRatio").options]


def test_samples_are_a_segment_of_one_to_four() -> None:
    radios = draw(build_form(KONTEXT_DEV)).controls("samples")
    assert [(attrs["type"], attrs["value"], "checked" in attrs) for _, attrs in radios] == [
        ("radio", "1", True),
        ("radio", "2", False),
        ("radio", "3", False),
        ("radio", "4", False),
    ]


@pytest.mark.parametrize(
    ("model", "name", "expected"),
    [
        (KONTEXT_DEV, "steps", ("1", "50", "1", "28")),
        (KONTEXT_DEV, "scale", ("0", "20", "0.1", "2.5")),
        (FLUX_2, "safetyTolerance", ("0", "6", "1", "2")),
    ],
)
def test_a_narrow_range_is_a_slider_that_shows_its_value(
    model: Model, name: str, expected: tuple[str, ...]
) -> None:
    page = draw(build_form(model))
    [(_, attrs)] = page.controls(name)
    assert attrs["type"] == "range"
    assert tuple(attrs[key] for key in ("min", "max", "step", "value")) == expected
    outputs = [f"#{attrs['id']}" for tag, attrs in page.elements if tag == "output"]
    assert attrs["data-out"] in outputs


def test_a_size_is_a_number_field_that_allows_zero() -> None:
    [(_, attrs)] = draw(build_form(FLUX_2)).controls("width")
    assert [attrs[key] for key in ("type", "min", "max", "step", "value")] == [
        "number",
        "0",
        "2048",
        "16",
        "0",
    ]


@pytest.mark.parametrize("model", [KONTEXT, KONTEXT_DEV, FLUX_2])
def test_a_seed_is_an_empty_number_field_with_a_placeholder(model: Model) -> None:
    [(_, attrs)] = draw(build_form(model)).controls("seed")
    assert [attrs[key] for key in ("type", "min", "max")] == ["number", "0", "4294967295"]
    assert "value" not in attrs
    assert attrs["placeholder"] == "Random"


def test_display_texts_are_shown() -> None:
    html = render_to_string("studio/_inputs.html", {"fields": build_form(KONTEXT_DEV).advanced_fields})
    assert "Guidance" in html
    assert "guidancescale" not in html


def test_advanced_options_are_kept_apart() -> None:
    form = build_form(FLUX_2)
    assert [field.name for field in form.common_fields] == ["width", "height"]
    assert [field.name for field in form.advanced_fields] == ["safetyTolerance", "seed", "outputFormat"]


# --- Values ------------------------------------------------------------------------------


def test_initial_values_replace_the_defaults() -> None:
    page = draw(build_form(KONTEXT_DEV, initial={"steps": 12, "samples": 3, "seed": None}))
    assert page.controls("steps")[0][1]["value"] == "12"
    assert [attrs["value"] for _, attrs in page.controls("samples") if "checked" in attrs] == ["3"]
    assert "value" not in page.controls("seed")[0][1]


def test_options_that_were_not_sent_show_their_default() -> None:
    page = draw(build_form(KONTEXT_DEV, data={"steps": "12", "aspectRatio": "1:1"}))
    assert page.controls("steps")[0][1]["value"] == "12"
    assert page.controls("scale")[0][1]["value"] == "2.5"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_an_unchanged_form_gives_the_defaults_but_draws_a_seed_and_keeps_the_size(model: Model) -> None:
    page = draw(build_form(model))
    sent = QueryDict(mutable=True)
    for _, attrs in page.controls():
        if attrs.get("type") != "radio" or "checked" in attrs:
            sent[str(attrs["name"])] = attrs.get("value") or ""
    form = build_form(model, data=sent)
    assert form.is_valid()
    sizes: dict[str, Any] = {item.name: 0 for item in model.options if item.zero_allowed}
    seed = {"seed": ""} if seeds.has_seed(model) else {}
    assert form.cleaned_data == clean_inputs(model, sizes | seed)


def test_submitted_values_are_typed() -> None:
    form = build_form(KONTEXT_DEV, data=QueryDict("steps=12&scale=7.5&samples=2&seed=&prompt=a+dog"))
    assert form.is_valid()
    assert form.cleaned_data == {"steps": 12, "scale": 7.5, "samples": 2, "seed": None}


def test_each_invalid_option_is_reported_beside_its_control() -> None:
    form = build_form(FLUX_2, data={"width": "1000", "safetyTolerance": "7", "seed": "5"})
    assert form.errors == {
        "width": ["Enter a whole number from 64 to 2048 in steps of 16, or 0 to match the image."],
        "safetyTolerance": ["Enter a whole number from 0 to 6."],
    }
    page = draw(form)
    assert [attrs["id"] for _, attrs in page.elements if attrs.get("class") == "err"] == [
        "input-width_error",
        "input-safetyTolerance_error",
    ]
    assert page.controls("width")[0][1]["aria-invalid"] == "true"
