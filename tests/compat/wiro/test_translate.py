"""Translating requests of Wiro's clients."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from editor.catalog import catalog, get_model
from editor.compat.wiro import translate
from editor.compat.wiro.profile import Refused
from editor.compat.wiro.translate import SAMPLES, ParsedRequest
from editor.errors import EditorError, InsufficientCredits, InvalidInput, LimitExceeded
from editor.media import links
from editor.media.inputs import File, Link, Sample
from editor.operations import images

A, B = "https://example.com/a.jpg", "https://example.com/b.jpg"
FLUX_2 = get_model("black-forest-labs/flux-2-pro")


def parsed(*fields: tuple[str, Any], **named: Any) -> ParsedRequest:
    return translate.parsed(FLUX_2, [("prompt", "a harbour"), *fields, *named.items()])


def pictures(*fields: tuple[str, Any], **named: Any) -> list[Any]:
    found = parsed(*fields, **named).pictures
    return [picture.url if isinstance(picture, Link) else picture for picture in found]


@pytest.mark.parametrize("model", catalog().models)
def test_models_are_found_by_id_regardless_of_case(model: str) -> None:
    owner, _, project = model.partition("/")
    for name in ((owner, project), (owner.upper(), project.title())):
        assert translate.find_model(*name).id == model


def test_models_are_found_by_their_name_at_wiro() -> None:
    found = translate.find_model("black-forest-labs", "FLUX.2-klein-9B")
    assert found.id == "black-forest-labs/flux-2-klein-9b"


@pytest.mark.parametrize("name", [("", ""), ("x", "y"), ("fal-ai", "flux-2-pro/edit"), ("a" * 5000, "\0")])
def test_an_unknown_model_is_reported_as_wiro_does(name: tuple[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        translate.find_model(*name)
    assert translate.problems(caught.value) == [(1, "slug-owner-project-not-exist")]


@pytest.mark.parametrize(
    "fields",
    [
        [("inputImage", [A, B])],
        [("inputImage", f"{A},{B}")],
        [("inputImage", f" {A} , {B} ")],
        [("inputImage", A), ("inputImage", B)],
        [("inputImageUrl", A), ("inputImage2Url", B)],
        [("inputImage2Url", B), ("inputImageUrl", A)],
        [("inputImage[0]", A), ("inputImage[1]", B)],
        [("inputImage[1]", B), ("inputImage[0]", A)],
        [("inputImage[]", A), ("inputImage[]", B)],
        [("inputImage", ""), ("inputImageUrl", f"{A},{B}")],
        [("inputImage", A), ("inputImage2", B), ("inputImage2Url", "")],
    ],
    ids=str,
)
def test_images_are_found_in_every_format(fields: list[tuple[str, Any]]) -> None:
    assert pictures(*fields) == [A, B]


def test_a_url_keeps_its_commas() -> None:
    assert pictures(inputImage=f"https://example.com/w=1,h=2/a.jpg,{B}") == [
        "https://example.com/w=1,h=2/a.jpg",
        B,
    ]


def test_files_and_urls_keep_their_order_and_empty_files_are_ignored() -> None:
    file = File(name="a.png", content=io.BytesIO(b"x"))
    empty = File(name="", content=io.BytesIO())
    assert pictures(("inputImage", A), ("inputImage", file), ("inputImage", empty)) == [A, file]


def test_wiros_sample_files_are_shipped_samples() -> None:
    assert set(SAMPLES.values()) <= set(images.SAMPLES)
    assert pictures(inputImage=",".join(SAMPLES)) == [Sample(name) for name in SAMPLES.values()]


def test_the_portals_links_are_images_and_forged_ones_are_urls() -> None:
    image = uuid4()
    link = f"https://portal.example{links.sign_lasting(image)}"
    assert pictures(inputImage=link) == [image]
    assert pictures(inputImage=f"{link}x") == [f"{link}x"]


@pytest.mark.parametrize(
    "value",
    [
        "photo.jpg",
        "data:image/png;base64,AAAA",
        "ftp://example.com/a.jpg",
        "https://",
        "//x/y",
        5,
        True,
        {},
        [5],
        [[A]],
    ],
    ids=str,
)
def test_an_invalid_image_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        pictures(inputImage=value)


def test_only_options_of_the_model_are_kept() -> None:
    found = parsed(width=0, seed="123", selectedModel="x", steps=3, outputFormat="png")
    assert found.inputs == {"width": 0, "seed": "123", "outputFormat": "png"}


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("https://example.com/hook", "https://example.com/hook"),
        ("http://example.com/hook", "http://example.com/hook"),
        ("You can provide a callback URL; Wiro will send a POST request to it.", ""),
        ("", ""),
        (None, ""),
        (5, ""),
        ("javascript:alert(1)", ""),
        ("https://[", ""),
    ],
)
def test_a_callback_must_be_a_url(value: Any, address: str) -> None:
    assert parsed(callbackUrl=value).callback_url == address


@pytest.mark.parametrize("prompt", ["", "  ", None])
def test_a_missing_prompt_is_reported_as_wiro_does(prompt: Any) -> None:
    with pytest.raises(Refused, match=r"Request parameter \[prompt\] required"):
        translate.parsed(FLUX_2, [("prompt", prompt)])


def test_a_missing_image_is_reported_as_wiro_does() -> None:
    model = get_model("wiro/flux_kontext_dev_with_2_image")
    with pytest.raises(Refused, match=r"Request files \[inputImageUrl\] required"):
        translate.parsed(model, [("prompt", "a")])


def test_no_more_urls_are_parsed_than_an_edit_can_have() -> None:
    assert len(parsed(inputImage=[A] * 16).pictures) == 16
    # The last one is not a URL, but is never parsed.
    with pytest.raises(Refused, match="At most 16 images"):
        parsed(inputImage=[A] * 17 + ["photo.jpg"])


def test_only_one_mask_is_accepted() -> None:
    assert parsed(mask=A).mask == Link(A)
    assert parsed(maskUrl=A, mask="").mask == Link(A)
    with pytest.raises(InvalidInput):
        parsed(mask=f"{A},{B}")


def test_errors_have_wiros_codes() -> None:
    wrong = InvalidInput("x", fields={"width": "too wide", "images": "too many"})
    assert translate.problems(wrong) == [
        (0, "Request parameter [width]: too wide"),
        (0, "Request files [inputImage]: too many"),
    ]
    assert translate.problems(InsufficientCredits("x")) == [(97, "Insufficient balance")]
    assert translate.problems(LimitExceeded("wait")) == [(96, "wait")]
    assert translate.problems(EditorError("other")) == [(0, "other")]


_values = some.recursive(
    some.one_of(some.none(), some.booleans(), some.integers(), some.floats(), some.text(max_size=30)),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_names = some.sampled_from(
    "prompt inputImage inputImageUrl inputImage2Url inputImage[0] width seed callbackUrl mask x".split()
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(model=some.sampled_from(list(catalog().models)), fields=some.lists(some.tuples(_names, _values)))
def test_any_fields_are_parsed_or_refused(model: str, fields: list[tuple[str, Any]]) -> None:
    try:
        found = translate.parsed(get_model(model), fields)
    except EditorError as error:
        assert all(message for _, message in translate.problems(error))
    else:
        assert found.prompt.strip()
