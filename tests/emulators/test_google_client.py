"""Google's own client works against the emulator, unchanged but for its settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from tests.emulators.checks import photo
from tests.emulators.faults import Fault
from tests.emulators.google import BLOCKED, Google
from tests.emulators.google.client import MODEL


@pytest.fixture
def emulator() -> Iterator[Google]:
    with Google(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Google, monkeypatch: pytest.MonkeyPatch) -> Iterator[genai.Client]:
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", emulator.environment()["GOOGLE_BASE_URL"])
    monkeypatch.setenv("GEMINI_API_KEY", emulator.environment()["GOOGLE_API_KEY"])
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    client = genai.Client()
    yield client
    client.close()


def test_the_official_client_edits_with_all_its_settings(emulator: Google, client: genai.Client):
    answer = client.models.generate_content(
        model=MODEL,
        contents=types.UserContent(
            parts=[
                types.Part.from_text(text="make the sofa green"),
                types.Part.from_bytes(data=photo(), mime_type="image/png"),
            ]
        ),
        config=types.GenerateContentConfig(
            response_modalities=["TEXT", "IMAGE"],
            image_config=types.ImageConfig(aspect_ratio="16:9", image_size="2K"),
            thinking_config=types.ThinkingConfig(
                thinking_level=types.ThinkingLevel.HIGH, include_thoughts=True
            ),
            seed=7,
            safety_settings=[
                types.SafetySetting(
                    category=types.HarmCategory.HARM_CATEGORY_HATE_SPEECH,
                    threshold=types.HarmBlockThreshold.BLOCK_ONLY_HIGH,
                )
            ],
        ),
    )

    [task] = emulator.tasks
    assert task.path == f"/v1/models/{MODEL}:generateContent"
    assert answer.parts is not None
    images = [part.inline_data for part in answer.parts if part.inline_data and not part.thought]
    assert [image.data for image in images] == [task.pictures[0].content]
    assert answer.usage_metadata is not None
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP


def test_the_official_client_streams(emulator: Google, client: genai.Client):
    chunks = list(client.models.generate_content_stream(model=MODEL, contents="a red chair"))

    images = [part.inline_data.data for chunk in chunks for part in chunk.parts or [] if part.inline_data]
    assert images == [emulator.tasks[0].pictures[0].content]


def test_the_official_client_looks_a_model_up(client: genai.Client):
    assert client.models.get(model=MODEL).display_name == "Nano Banana 2.1"
    assert len(client.models.list()) == 5


@pytest.mark.parametrize("shape", BLOCKED)
def test_the_official_client_accepts_blocked_responses(
    emulator: Google, client: genai.Client, shape: dict[str, Any]
):
    emulator.blocked = shape
    emulator.script.next_submit = [Fault.RESULT_MODERATED, Fault.PROMPT_MODERATED]

    result = client.models.generate_content(model=MODEL, contents="a red chair")
    prompt = client.models.generate_content(model=MODEL, contents="a red chair")

    assert result.parts is None
    assert result.candidates is not None
    assert result.candidates[0].finish_reason is types.FinishReason.IMAGE_SAFETY
    assert prompt.candidates is None
    assert prompt.prompt_feedback is not None
    assert prompt.prompt_feedback.block_reason is types.BlockedReason.PROHIBITED_CONTENT


@pytest.mark.parametrize(
    ("fault", "kind", "code", "status"),
    [
        (Fault.WRONG_KEY, errors.ClientError, 400, "INVALID_ARGUMENT"),
        (Fault.OUT_OF_FUNDS, errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        (Fault.FORBIDDEN, errors.ClientError, 403, "PERMISSION_DENIED"),
        (Fault.SERVER_ERROR, errors.ServerError, 500, "INTERNAL"),
        (Fault.OVERLOADED, errors.ServerError, 503, "UNAVAILABLE"),
        (Fault.BAD_GATEWAY, errors.ServerError, 502, "Bad Gateway"),
    ],
)
def test_the_official_client_raises_its_own_errors(
    emulator: Google,
    client: genai.Client,
    fault: Fault,
    kind: type[errors.APIError],
    code: int,
    status: str,
):
    emulator.script.next_submit = [fault]

    with pytest.raises(kind) as caught:
        client.models.generate_content(model=MODEL, contents="a red chair")

    assert (caught.value.code, caught.value.status) == (code, status)
