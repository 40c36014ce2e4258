"""An invalid file is refused with a message that locates the mistake. One mistake per case."""

from __future__ import annotations

from pathlib import Path

import pytest

from editor.catalog.loader import CatalogError, load
from tests.catalog.files import MODEL, ROUTES, WHERE, problems_of, replace


def test_a_valid_file_becomes_a_model_with_defaults_for_missing_keys(directory: Path) -> None:
    catalog = load(directory)
    model = catalog.models["acme/paint"]
    photos = model.input("photos")
    assert (model.minimum_images, model.maximum_images, model.maximum_samples) == (1, 3, 1)
    assert (photos.help, photos.display_label, photos.advanced) == ("", "Photos", False)
    assert model.input("format").options[0].display_label == "PNG"
    assert [(idea.label, idea.prompt) for idea in model.ideas] == [("Blue", "Turn red into blue")]
    assert model.providers == ("acme", "other")
    assert [(route.credits, route.mask) for route in model.routes] == [(2, False), (3, True)]
    assert [tier.route for tier in catalog.tiers.values()] == [None, "acme", None]
    assert [dict(tier.own_keys) for tier in catalog.tiers.values()] == [{}, {}, {"other": "acme/paint"}]


def test_an_option_of_any_name_may_count_the_samples(directory: Path) -> None:
    path = directory / "models" / "paint.toml"
    replace(path, "mask = true", 'mask = true\nsamples_input = "size"')
    replace(path, "minimum = 64\n", "minimum = 1\n")
    replace(path, "multiple_of = 16\nzero_allowed = true\n", "")
    assert load(directory).models["acme/paint"].maximum_samples == 1024


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("mask = true", "mask = true\ncolour = 1", f"{WHERE}: colour: is not a key that belongs here"),
        ("mask = true", 'mask = "no"', f"{WHERE}: mask: must be true or false"),
        ('vendor = "Acme"', "", f"{WHERE}: vendor: is missing"),
        ('vendor = "Acme"', "vendor = 7", f"{WHERE}: vendor: must be text"),
        ('vendor = "Acme"', 'vendor = " "', f"{WHERE}: vendor: must not be empty"),
        ('id = "acme/paint"', 'id = "Paint"', f"{WHERE}: id: 'Paint' must look like vendor/name"),
        ("credits = 3", "credits = 0", f"{WHERE}: credits: must be at least 1, not 0"),
        ("credits = 3", "credits = true", f"{WHERE}: credits: must be a whole number"),
        ("credits = 3", "credits = 2.5", f"{WHERE}: credits: must be a whole number"),
        ("_limit_seconds = 60", "_limit_seconds = 4", f"{WHERE}: time_limit_seconds: must not be less"),
        ('["Paint it"]', '["Paint it", 3]', f"{WHERE}: sample_prompts: must be a list of texts"),
        ('["Paint it"]', '["Paint\\u0000it"]', f"{WHERE}: sample_prompts or ideas: 'Paint\\x00it'"),
        (ROUTES, "routes = []\n", f"{WHERE}: routes: must not be empty"),
        (ROUTES, 'routes = ["acme"]\n', f"{WHERE}: routes: must be a list of tables"),
        ('target = "paint"', "", f"{WHERE}: routes 'acme': target: is missing"),
        ('provider = "acme"', 'provider = "other"', f"{WHERE}: routes: 'other' is listed twice"),
        ('provider = "acme"', 'provider = "sandbox"', f'{WHERE}: routes: "sandbox" runs every model'),
        ("credits = 2", "credits = 0", f"{WHERE}: routes 'acme': credits: must be at least 1, not 0"),
        ("credits = 2", "credits = 2\nprice = 2", f"{WHERE}: routes 'acme': price: is not a key"),
        (
            "credits = 2",
            'credits = 2\nwithout = ["png"]',
            f"{WHERE}: routes 'acme': without: must be a table of lists of texts",
        ),
        (
            "credits = 2",
            "credits = 2\nwithout = { format = [1] }",
            f"{WHERE}: routes 'acme': without: must be a table of lists of texts",
        ),
        (
            "credits = 2",
            'credits = 2\nwithout = { colour = ["red"] }',
            f"{WHERE}: routes 'acme': without: 'colour' is not a select input of the model",
        ),
        (
            "credits = 2",
            'credits = 2\nwithout = { size = ["64"] }',
            f"{WHERE}: routes 'acme': without: 'size' is not a select input of the model",
        ),
        (
            "credits = 2",
            'credits = 2\nwithout = { format = ["jpeg", "gif"] }',
            f"{WHERE}: routes 'acme': without: 'gif' is not an option of 'format'",
        ),
        ("mask = true\nsample", "mask = false\nsample", f"{WHERE}: mask: must be true where a route"),
        ('name = "size"', 'name = "scale"', f"{WHERE}: inputs: 'scale' is listed twice"),
        ('name = "size"', "", f"{WHERE}: inputs 4: name: is missing"),
        (
            'type = "textarea"\nrole = "prompt"',
            'type = "text"\nrole = "option"',
            f'{WHERE}: inputs: exactly one must have the role "prompt"; 0 have',
        ),
        ('type = "textarea"', 'type = "text"', f"{WHERE}: inputs 'prompt': type: an input with the role"),
        (
            'type = "float"',
            'type = "double"',
            f"{WHERE}: inputs 'scale': type: must be one of text, textarea",
        ),
        (
            'role = "images"\ndefault = ""\nmaximum_items = 3',
            'role = "option"\ndefault = ""',
            f"{WHERE}: inputs 'photos': role: an input of the type",
        ),
        ("maximum_items = 3", "", f"{WHERE}: inputs 'photos': maximum_items: belongs to"),
        ('type = "select"', 'type = "text"', f"{WHERE}: inputs 'format': options: belong to inputs"),
        ('default = "png"', 'default = "gif"', f"{WHERE}: inputs 'format': default: 'gif' is not among"),
        ('value = "jpeg"', 'value = "png"', f"{WHERE}: inputs 'format': options: 'png' is listed twice"),
        ('label = "JPEG"', "label = 1", f"{WHERE}: inputs 'format': options 'jpeg': label: must be text"),
        ("default = 512", "", f"{WHERE}: inputs 'size': default: is missing"),
        ("default = 512", 'default = "512"', f"{WHERE}: inputs 'size': default: must be a whole number for"),
        (
            "default = 512",
            "default = 2048",
            f"{WHERE}: inputs 'size': default: 2048 is refused: Enter a whole",
        ),
        ("default = 512", "default = 500", f"{WHERE}: inputs 'size': default: 500 is refused: Enter a whole"),
        (
            "default = 2.5",
            "default = 3",
            f"{WHERE}: inputs 'scale': default: must be a number with a decimal",
        ),
        ("default = 2.5", "default = nan", f"{WHERE}: inputs 'scale': default: must be text or a number"),
        (
            "minimum = 64",
            "minimum = 2000",
            f"{WHERE}: inputs 'size': minimum: 2000 is above the maximum 1024",
        ),
        ("minimum = 0\n", "", f"{WHERE}: inputs 'scale': minimum: a number needs both"),
        ("minimum = 64", 'minimum = "64"', f"{WHERE}: inputs 'size': minimum: must be a number"),
        ("minimum = 64", "minimum = 0", f"{WHERE}: inputs 'size': zero_allowed: belongs to numbers"),
        ("maximum = 20", "maximum = inf", f"{WHERE}: inputs 'scale': maximum: must be a number"),
        (
            "maximum = 20",
            "maximum = 20\nmultiple_of = 2",
            f"{WHERE}: inputs 'scale': multiple_of: belongs to",
        ),
        (
            "mask = true",
            'mask = true\nsamples_input = "count"',
            f"{WHERE}: samples_input: must name",
        ),
        (
            "mask = true",
            'mask = true\nsamples_input = "scale"',
            f"{WHERE}: samples_input: must name",
        ),
        (
            "mask = true",
            'mask = true\nsamples_input = "size"',
            f"{WHERE}: samples_input: must name",
        ),
        (
            'default = "Paint it"',
            'default = "Paint it"\nminimum = 1\nmaximum = 2',
            f"{WHERE}: inputs 'prompt': minimum: minimum and maximum belong to options",
        ),
        (
            'type = "select"\nrole = "option"\ndefault = "png"\noptions = [{ value = "png", label = "PNG" }, '
            '{ value = "jpeg", label = "JPEG" }]',
            'type = "text"\nrole = "option"\ndefault = ""',
            f"{WHERE}: inputs 'format': default: must not be empty, unless required = false",
        ),
        ("mask = true", "mask = ", f"{WHERE}: cannot be read: "),
        (
            "mask = true",
            "mask = true\nmask_required = true",
            f"{WHERE}: mask_required: needs mask = true for the model and for each route",
        ),
    ],
)
def test_a_mistake_in_a_model_is_the_only_reported_problem(
    directory: Path, old: str, new: str, problem: str
) -> None:
    replace(directory / "models" / "paint.toml", old, new)
    found = [reported for reported in problems_of(directory) if not reported.startswith("tiers.toml")]
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_two_files_with_the_same_id_are_reported(directory: Path) -> None:
    (directory / "models" / "second.toml").write_text(MODEL, encoding="utf-8")
    assert problems_of(directory) == [
        "models/second.toml: id: 'acme/paint' is already the id of another file"
    ]


def test_a_file_that_is_not_utf_8_is_reported(directory: Path) -> None:
    (directory / "models" / "paint.toml").write_bytes(b'label = "\xff"')
    assert problems_of(directory)[0].startswith("models/paint.toml: cannot be read: ")


def test_a_catalogue_without_models_is_reported(directory: Path) -> None:
    (directory / "models" / "paint.toml").unlink()
    assert problems_of(directory)[0] == "models: there is no model file"


def test_all_problems_of_all_files_are_reported_at_once(directory: Path) -> None:
    replace(directory / "models" / "paint.toml", "credits = 3", "credits = 0")
    replace(directory / "models" / "paint.toml", "default = 512", "default = 500")
    replace(directory / "tiers.toml", 'default = "standard"', 'default = "best"')
    error = CatalogError(problems_of(directory))
    assert [problem.split(":")[0] for problem in error.problems] == [WHERE, WHERE, "tiers.toml"]
    assert all(problem in str(error) for problem in error.problems)
