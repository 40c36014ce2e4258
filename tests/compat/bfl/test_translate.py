"""Translating BFL's fields, model by model, and reporting invalid ones."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from editor import catalog
from editor.catalog import validation
from editor.compat.bfl import translate
from editor.compat.bfl.errors import WrongFields, envelope
from editor.compat.bfl.translate import Endpoint, ParsedRequest
from editor.errors import InvalidInput
from editor.media.inputs import Base64, ImageInput
from editor.models import Job

TARGETS = [
    route.target
    for model in catalog.catalog().models.values()
    for route in model.routes
    if route.provider == "bfl"
]
IMAGE = base64.b64encode(b"bytes").decode()


def endpoint(target: str) -> Endpoint:
    found = translate.endpoint(target)
    assert found
    return found


def read(target: str, **fields: Any) -> ParsedRequest:
    # json.dumps writes Infinity, which JSON does not have; 1e999 parses to the same value.
    body = json.dumps({"prompt": "make it blue"} | fields).replace("Infinity", "1e999").encode()
    return translate.read(endpoint(target), body, origin="https://edits.example")


def text_of(image: ImageInput | None) -> str:
    """The base64 text of an image."""
    assert isinstance(image, Base64)
    image.content.seek(0)
    return image.content.read().decode()


def wrong(target: str, **fields: Any) -> list[dict[str, Any]]:
    """The details of the error that these fields cause, in the API or in the catalog's validation."""
    rendered: Exception
    try:
        parsed = read(target, **fields)
        model, route = endpoint(target).model, endpoint(target).route
        validation.clean_inputs(model, parsed.edit.inputs)
        validation.check_images(model, route, len(parsed.images), parsed.mask is not None)
    except WrongFields as error:
        rendered = error
    except InvalidInput as error:
        rendered = translate.in_their_names(endpoint(target), error)
    else:
        raise AssertionError("nothing is wrong")
    assert isinstance(rendered, WrongFields)
    return rendered.details


def required_images(target: str) -> dict[str, str]:
    """The images that this model requires."""
    return {"image": IMAGE, "mask": IMAGE} if endpoint(target).model.mask_required else {}


def test_every_model_with_a_route_to_bfl_is_offered() -> None:
    assert {"flux-kontext-pro", "flux-kontext-max", "flux-2-pro", "flux-pro-1.0-fill"} <= set(TARGETS)
    for target in TARGETS:
        assert endpoint(target).route.target == target
    assert translate.endpoint("flux-pro-1.1") is None
    assert translate.endpoint("FLUX-KONTEXT-PRO") is None


@pytest.mark.parametrize("target", TARGETS)
def test_a_prompt_alone_gets_bfls_defaults(target: str) -> None:
    parsed = read(target, **required_images(target))
    model = endpoint(target).model
    assert (parsed.edit.model, parsed.edit.prompt, parsed.edit.callback) == (model.id, "make it blue", None)
    cleaned = validation.clean_inputs(model, parsed.edit.inputs)
    assert cleaned["seed"] is None
    assert cleaned["outputFormat"] == ("png" if "kontext" in target else "jpeg")
    assert int(str(cleaned["safetyTolerance"])) == 2
    assert (cleaned.get("width", 0), cleaned.get("height", 0)) == (0, 0)
    assert cleaned.get("aspectRatio", "") == ""
    assert cleaned.get("promptUpsampling", "false") == ("true" if target == "flux-2-flex" else "false")
    assert cleaned.get("steps", 50) == 50


@pytest.mark.parametrize(("target", "guidance"), [("flux-2-flex", 5.0), ("flux-pro-1.0-fill", 60.0)])
def test_guidance_has_bfls_default(target: str, guidance: float) -> None:
    parsed = read(target, **required_images(target))
    assert validation.clean_inputs(endpoint(target).model, parsed.edit.inputs)["guidance"] == guidance


def test_fields_become_catalog_inputs() -> None:
    fields = {"aspect_ratio": "16:9", "seed": 7, "output_format": "jpeg", "safety_tolerance": 2}
    parsed = read("flux-kontext-pro", prompt_upsampling=True, input_image=IMAGE, **fields)
    assert validation.clean_inputs(endpoint("flux-kontext-pro").model, parsed.edit.inputs) == {
        "aspectRatio": "16:9",
        "seed": 7,
        "outputFormat": "jpeg",
        "safetyTolerance": "2",
        "promptUpsampling": "true",
    }
    assert {field: text_of(image) for field, image in parsed.images.items()} == {"input_image": IMAGE}


def test_numbers_reach_the_model_unchanged() -> None:
    parsed = read("flux-2-flex", steps=20, guidance=3.5, width=1024, height=64, safety_tolerance=5)
    inputs = parsed.edit.inputs
    assert (inputs["steps"], inputs["guidance"], inputs["safetyTolerance"]) == (20, 3.5, 5)
    assert (inputs["width"], inputs["height"]) == (1024, 64)


def test_an_unsupported_safety_tolerance_becomes_the_nearest_stricter_one() -> None:
    parsed = read("flux-kontext-pro", safety_tolerance=6)
    assert parsed.edit.inputs["safetyTolerance"] == 2


@pytest.mark.parametrize(("sent", "used"), [(1000, 992), (64, 64), (79, 64), (0, 0), (None, 0)])
def test_sizes_are_rounded_down_to_the_grid(sent: int | None, used: int) -> None:
    assert read("flux-2-pro", width=sent).edit.inputs["width"] == used


def test_null_means_omitted() -> None:
    names = ("seed", "output_format", "aspect_ratio", "input_image", "webhook_url", "webhook_secret")
    assert read("flux-kontext-pro", **dict.fromkeys(names)) == read("flux-kontext-pro")


def test_fields_that_bfl_ignores_are_ignored() -> None:
    unknown = {"disable_pup": True, "user": "u", "raw": "?", "mask": 5, "width": "x", "steps": [1]}
    assert read("flux-kontext-pro", **unknown) == read("flux-kontext-pro")
    assert read("flux-2-pro", aspect_ratio="?", prompt_upsampling="?") == read("flux-2-pro")
    assert read("flux-2-pro", input_image_9=IMAGE) == read("flux-2-pro")


def test_images_keep_their_order_and_gaps_are_closed() -> None:
    parsed = read("flux-2-pro", input_image_3="c", input_image_8="h", input_image_2="", input_image="a")
    assert [text_of(image) for image in parsed.images.values()] == ["a", "c", "h"]


def test_fill_takes_an_image_and_its_mask() -> None:
    parsed = read("flux-pro-1.0-fill", image="i", mask="m")
    assert (list(parsed.images), text_of(parsed.images["image"]), text_of(parsed.mask)) == (
        ["image"],
        "i",
        "m",
    )


def test_the_webhook_becomes_the_callback() -> None:
    callback = read("flux-2-pro", webhook_url="https://x.example/hook", webhook_secret="s").edit.callback
    assert callback
    assert (callback.url, callback.secret) == ("https://x.example/hook", "s")
    assert callback.origin == "https://edits.example"


@pytest.mark.parametrize(
    ("target", "fields", "type_", "place", "message"),
    [
        ("flux-kontext-pro", {"prompt": 5}, "string_type", "prompt", "Input should be a valid string"),
        ("flux-kontext-pro", {"output_format": "webp"}, "literal_error", "output_format", "'png' or 'jpeg'"),
        ("flux-kontext-pro", {"safety_tolerance": 1}, "literal_error", "safety_tolerance", "should be 2"),
        ("flux-kontext-pro", {"safety_tolerance": 7}, "literal_error", "safety_tolerance", "should be 2"),
        ("flux-kontext-pro", {"aspect_ratio": "7:5"}, "literal_error", "aspect_ratio", "'16:9'"),
        ("flux-2-pro", {"safety_tolerance": 9}, "less_than_equal", "safety_tolerance", "equal to 6"),
        ("flux-2-pro", {"seed": 2**32}, "less_than_equal", "seed", "4294967295"),
        ("flux-2-pro", {"seed": 1.5}, "int_from_float", "seed", "fractional part"),
        ("flux-2-pro", {"width": 20}, "value_error", "width", "from 64 to 2048"),
        ("flux-2-pro", {"height": 4096}, "less_than_equal", "height", "2048"),
        ("flux-2-pro", {"webhook_url": ""}, "string_too_short", "webhook_url", "at least 1"),
        ("flux-2-flex", {"guidance": 1e999}, "less_than_equal", "guidance", "equal to 10"),
        ("flux-kontext-pro", {"input_image": 1}, "string_type", "input_image", "valid string"),
        ("flux-kontext-pro", {"input_image": "a", "input_image_2": "b"}, "value_error", "input_image", "one"),
        ("flux-pro-1.0-fill", {}, "missing", "image", "Field required"),
        ("flux-pro-1.0-fill", {"image": "i"}, "value_error", "mask", "needs a mask"),
    ],
)
def test_invalid_fields_are_reported_in_fastapis_format(
    target: str, fields: dict[str, Any], type_: str, place: str, message: str
) -> None:
    (problem,) = wrong(target, **fields)
    assert (problem["type"], problem["loc"]) == (type_, ["body", place])
    assert message in problem["msg"]
    json.dumps(problem, allow_nan=False)


def test_a_missing_prompt_is_reported() -> None:
    with pytest.raises(WrongFields) as caught:
        translate.read(endpoint("flux-2-pro"), b"{}", origin="")
    assert caught.value.details == [
        {"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": None}
    ]


def test_a_too_long_image_is_refused_and_not_echoed() -> None:
    (problem,) = wrong("flux-2-pro", input_image="A" * (translate.LONGEST_IMAGE + 1))
    assert problem["type"] == "string_too_long"
    assert problem["input"] == "A" * 100


def test_errors_use_bfls_field_names() -> None:
    error = InvalidInput("no", fields={"outputFormat": "a", "images": "b", "prompt": "c", "mask": "d"})
    rendered = translate.in_their_names(endpoint("flux-2-pro"), error)
    assert isinstance(rendered, WrongFields)
    assert [problem["loc"][1] for problem in rendered.details] == [
        "output_format",
        "input_image",
        "prompt",
        "mask",
    ]
    plain = InvalidInput("This is no image.")
    assert translate.in_their_names(endpoint("flux-2-pro"), plain) is plain


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b"\xff",
        b'{"prompt": NaN}',
        b'{"prompt": "a", "prompt": "b"}',
        b'{"prompt": "\\ud800"}',
        b'{"prompt": "a\\u0000"}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(WrongFields) as caught:
        translate.read(endpoint("flux-2-pro"), body, origin="")
    assert caught.value.details[0]["type"] == "json_invalid"


def test_a_submit_is_answered_with_its_price_and_sizes() -> None:
    job = Job(price=6, inputs={"width": 1440, "height": 1440})
    assert translate.submitted(job, input_pixels=2**20, polling_url="https://p") == {
        "id": str(job.id),
        "polling_url": "https://p",
        "cost": 6,
        "input_mp": 1.0,
        "output_mp": 1.98,
    }
    rendered = Job(price=4, inputs={"width": 0}, callback_url="https://x.example")
    assert translate.submitted(rendered, input_pixels=0, polling_url="https://p") == {
        "id": str(rendered.id),
        "status": "Pending",
        "webhook_url": "https://x.example",
        "cost": 4,
        "input_mp": 0.0,
        "output_mp": None,
    }


FIELDS = sorted({field for target in TARGETS for field in endpoint(target).body.model_fields} | {"other"})
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["png", "16:9", "https://x.example", IMAGE, 2, 64, 1024]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(TARGETS), st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_any_fields_are_parsed_or_refused(target: str, fields: dict[str, Any]) -> None:
    try:
        parsed = translate.read(endpoint(target), json.dumps(fields).encode(), origin="https://edits.example")
        validation.clean_inputs(endpoint(target).model, parsed.edit.inputs)
    except InvalidInput as error:
        rendered = translate.in_their_names(endpoint(target), error)
        json.loads(envelope(422, rendered))
    except WrongFields as error:
        json.loads(envelope(422, error))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary())
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(WrongFields):
        translate.read(endpoint("flux-kontext-pro"), body, origin="")
