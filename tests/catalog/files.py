"""A small catalogue in separate files, and its problems."""

from __future__ import annotations

from pathlib import Path

import pytest

from editor.catalog.loader import CatalogError, load

MODEL = """\
id = "acme/paint"
label = "Paint"
vendor = "Acme"
description = "Paints."
credits = 3
typical_seconds = 5
time_limit_seconds = 60
mask = true
sample_prompts = ["Paint it"]

[[routes]]
provider = "acme"
target = "paint"
credits = 2

[[routes]]
provider = "other"
target = "acme-paint"
mask = true

[[ideas]]
label = "Blue"
prompt = "Turn red into blue"

[[inputs]]
name = "photos"
label = "Photos"
type = "combinefileinput"
role = "images"
default = ""
maximum_items = 3

[[inputs]]
name = "prompt"
label = "Prompt"
type = "textarea"
role = "prompt"
default = "Paint it"

[[inputs]]
name = "format"
label = "Format"
type = "select"
role = "option"
default = "png"
options = [{ value = "png", label = "PNG" }, { value = "jpeg", label = "JPEG" }]

[[inputs]]
name = "size"
label = "Size"
type = "number"
role = "option"
default = 512
minimum = 64
maximum = 1024
multiple_of = 16
zero_allowed = true

[[inputs]]
name = "scale"
label = "Scale"
type = "float"
role = "option"
default = 2.5
minimum = 0
maximum = 20
"""
TIERS = """\
default = "standard"
tiers = [
  { id = "creative", label = "Creative", model = "acme/paint" },
  { id = "standard", label = "Standard", model = "acme/paint", route = "acme" },
  { id = "pro", label = "Pro", model = "acme/paint", own_keys = [
    { provider = "other", model = "acme/paint" },
  ] },
]
"""
WHERE = "models/paint.toml"
ROUTES = MODEL[MODEL.index("[[routes]]") : MODEL.index("[[ideas]]")]


def problems_of(directory: Path) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        load(directory)
    return list(caught.value.problems)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
