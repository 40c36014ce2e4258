"""The catalogue's entries match the providers' documents; the tables here were typed from those."""

from __future__ import annotations

import pytest

from editor.catalog import catalog, get_model
from editor.catalog.types import Input

KONTEXT_PROMPT = (
    "Enhance the cookie package with clean lighting and a white background, perfect for e-commerce display."
)
SAFETY_HELP = (
    "Tolerance level for input and output moderation. "
    "Between 0 and 6, 0 being most strict, 6 being least strict."
)
SIZE_HELP = (
    " in pixels (must be multiple of 16). Set it to 0 or do not send if you want to match input image. "
    "Flux accepts between 64 and 2048."
)
SEED_RANGE = (0, 4294967295)

# name, label, help, type, default, options as (value, label), range as (minimum, maximum) or None
Row = tuple[str, str, str, str, object, list[tuple[str, str]], tuple[float, float] | None]

KONTEXT: list[Row] = [
    ("inputImageUrl", "Image URL", "Image to use as reference. Must be jpeg, png", "text", "", [], None),
    ("prompt", "prompt", "Text prompt for image generation.", "textarea", KONTEXT_PROMPT, [], None),
    (
        "promptUpsampling",
        "Prompt Upsampling",
        "Whether to perform upsampling on the prompt. If active, automatically modifies the prompt "
        "for more creative generation.",
        "select",
        "false",
        [("false", "NO"), ("true", "YES")],
        None,
    ),
    ("safetyTolerance", "Safety Tolerance", SAFETY_HELP, "select", "2", [("2", "2")], None),
    (
        "aspectRatio",
        "Aspect Ratio",
        "Aspect ratio of the image.",
        "select",
        "",
        [
            ("", "match_input_image"),
            ("1:1", "1:1"),
            ("16:9", "16:9"),
            ("9:16", "9:16"),
            ("4:3", "4:3"),
            ("3:4", "3:4"),
            ("3:2", "3:2"),
            ("2:3", "2:3"),
            ("4:5", "4:5"),
            ("5:4", "5:4"),
            ("21:9", "21:9"),
            ("9:21", "9:21"),
            ("2:1", "2:1"),
            ("1:2", "1:2"),
        ],
        None,
    ),
    ("seed", "seed", "seed-help", "text", "42", [], SEED_RANGE),
    (
        "outputFormat",
        "Output Format",
        "Output format for the generated image. Can be 'jpeg' or 'png'.",
        "select",
        "jpeg",
        [("jpeg", "jpeg"), ("png", "png")],
        None,
    ),
]

KONTEXT_DEV: list[Row] = [
    ("inputImageUrl", "input-image-url", "input-image-url-help", "text", "", [], None),
    ("inputImage2Url", "input-image-url", "input-image-url-help", "text", "", [], None),
    ("prompt", "prompt", "prompt-help", "textarea", "Add the dog as if it's lying on the couch.", [], None),
    ("steps", "inferencesteps", "inferencesteps-help", "number", 28, [], (1, 50)),
    ("scale", "guidancescale", "guidancescale-help", "float", 2.5, [], (0, 20)),
    ("samples", "Samples", "Number of outputs", "number", 1, [], (1, 4)),
    ("seed", "seed", "seed-help", "text", "0", [], SEED_RANGE),
]

FLUX_2: list[Row] = [
    (
        "inputImage",
        "Input Image",
        "",
        "combinefileinput",
        "bfl-flux-2-pro-input-5-1.jpg,bfl-flux-2-pro-input-5-2.jpg",
        [],
        None,
    ),
    (
        "prompt",
        "Prompt",
        "Text prompt for image generation.",
        "textarea",
        "Place the car in the image 2 to the road on the image 1.",
        [],
        None,
    ),
    (
        "width",
        "Width",
        "Width" + SIZE_HELP,
        "number",
        1024,
        [],
        (64, 2048),
    ),
    (
        "height",
        "Height",
        "Height" + SIZE_HELP,
        "number",
        1024,
        [],
        (64, 2048),
    ),
    ("safetyTolerance", "Safety Tolerance", SAFETY_HELP, "number", 2, [], (0, 6)),
    (
        "seed",
        "Seed",
        "Seed for reproducible results. Use the same seed to get consistent outputs.",
        "number",
        123,
        [],
        SEED_RANGE,
    ),
    (
        "outputFormat",
        "Output Format",
        "Output format for the generated image.",
        "select",
        "png",
        [("jpeg", "JPEG"), ("png", "PNG")],
        None,
    ),
]

SEEDS = {
    "black-forest-labs/flux-kontext-pro": KONTEXT,
    "black-forest-labs/flux-kontext-max": KONTEXT,
    "wiro/flux_kontext_dev_with_2_image": KONTEXT_DEV,
    "black-forest-labs/flux-2-pro": FLUX_2,
}


def row(item: Input) -> Row:
    options = [(option.value, option.label) for option in item.options]
    limits = (item.minimum, item.maximum)
    return (
        item.name,
        item.label,
        item.help,
        item.type,
        item.default,
        options,
        None if limits == (None, None) else limits,  # type: ignore[return-value]
    )


@pytest.mark.parametrize("model_id", SEEDS)
def test_inputs_match_the_document_in_its_order(model_id: str) -> None:
    assert [row(item) for item in get_model(model_id).inputs] == SEEDS[model_id]


@pytest.mark.parametrize("model_id", SEEDS)
def test_defaults_have_the_type_of_the_input(model_id: str) -> None:
    # 28 == 28.0 in Python, so the comparison of the rows alone would not detect it.
    kinds = {item.name: type(item.default) for item in get_model(model_id).inputs}
    assert kinds == {name: type(default) for name, _, _, _, default, _, _ in SEEDS[model_id]}


def test_only_width_and_height_have_steps_and_accept_zero() -> None:
    special = {
        (model.id, item.name, item.multiple_of, item.zero_allowed)
        for model in catalog().models.values()
        for item in model.inputs
        if item.multiple_of != 1 or item.zero_allowed
    }
    assert special == {
        (f"black-forest-labs/{model}", side, 16, True)
        for model in ("flux-2-pro", "flux-2-flex", "flux-2-klein-9b")
        for side in ("width", "height")
    }


@pytest.mark.parametrize(
    ("model_id", "minimum", "maximum"),
    [
        ("black-forest-labs/flux-kontext-pro", 0, 1),
        ("black-forest-labs/flux-kontext-max", 0, 1),
        ("wiro/flux_kontext_dev_with_2_image", 1, 2),
        ("black-forest-labs/flux-2-pro", 0, 8),
    ],
)
def test_the_number_of_images_that_each_model_accepts(model_id: str, minimum: int, maximum: int) -> None:
    model = get_model(model_id)
    assert (model.minimum_images, model.maximum_images) == (minimum, maximum)
    assert model.text_to_image is (minimum == 0)


def test_the_default_prompt_of_each_model_is_among_its_samples() -> None:
    for model in catalog().models.values():
        assert model.input("prompt").default in model.sample_prompts


def test_flux_2_has_the_five_inspirations_of_its_document() -> None:
    prompts = get_model("black-forest-labs/flux-2-pro").sample_prompts
    assert [prompt.partition(",")[0].partition(".")[0] for prompt in prompts] == [
        "A luxury stainless steel wristwatch with a dark blue face and brown leather strap",
        "A candid",
        "An extreme macro shot of a single dewdrop resting perfectly on the tip of a vibrant "
        "emerald-green cedar needle",
        "Transform the man in the middle into a stylized superhero",
        "Place the car in the image 2 to the road on the image 1",
    ]
    assert [len(prompt) for prompt in prompts] == [370, 382, 392, 651, 56]


def test_no_raw_key_is_shown_to_users() -> None:
    for model in catalog().models.values():
        for item in model.inputs:
            shown = [
                item.display_label,
                item.display_help,
                *(option.display_label for option in item.options),
            ]
            assert item.display_label[0].isupper()
            assert not [words for words in shown if words.endswith("-help") or "_" in words]
