"""Values must have the types of the document; they are not coerced."""

from __future__ import annotations

from typing import Any, get_args

import httpx
import pytest

from editor.api import schemas
from editor.media import formats

EDIT = {"prompt": "a quiet harbour", "model_tier": "standard", "async": True}
FILE = {"file_name": "cat.png", "mime_type": "image/png"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("process", EDIT, 202),
        ("process", {**EDIT, "async": 1}, 400),
        ("process", {**EDIT, "async": "true"}, 400),
        ("process", {**EDIT, "model": None}, 202),
        ("process", {**EDIT, "model": ""}, 202),
        ("process", {**EDIT, "model": "black-forest-labs/flux-2-pro", "model_tier": ""}, 202),
        ("process", {**EDIT, "image_id": "", "mask_id": " "}, 400),
        ("process", {**EDIT, "image_id": False}, 400),
        ("process", {**EDIT, "parameters": []}, 400),
        ("estimate-credits", {"model_tier": "pro", "provider": "", "parameters": None}, 200),
        ("process", {**EDIT, "model": "black-forest-labs/flux-2-pro"}, 400),
        ("process", {**EDIT, "model": "black-forest-labs/flux-2-pro", "model_tier": None}, 202),
        ("estimate-credits", {"model_tier": None, "model": None}, 400),
        ("upload-url", {**FILE, "file_size": None}, 201),
        ("upload-url", {**FILE, "file_size": ""}, 201),
        ("upload-url", {**FILE, "mime_type": ""}, 400),
        ("upload-url", {**FILE, "file_size": 5.0}, 201),
        ("upload-url", {**FILE, "file_size": 5.5}, 400),
        ("upload-url", {**FILE, "file_size": "5"}, 400),
        ("upload-url", {**FILE, "file_size": False}, 400),
        ("upload-url", {**FILE, "file_size": -1}, 400),
    ],
)
async def test_values_are_validated_by_type(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], status: int
) -> None:
    answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()["success"]) == (status, status < 400), answer.text


async def test_the_document_states_that_a_tier_or_a_model_is_required(client: httpx.AsyncClient) -> None:
    schemas = (await client.get("openapi.json")).json()["components"]["schemas"]
    for name in ("ProcessIn", "EstimateIn"):
        assert [one["required"] for one in schemas[name]["oneOf"]] == [["model_tier"], ["model"]]


def test_an_upload_may_be_announced_by_every_spelling_of_a_supported_type() -> None:
    documented = get_args(schemas.UploadIn.model_fields["mime_type"].annotation)
    assert set(documented) == {*formats.LABELS, *formats.ALIASES}
