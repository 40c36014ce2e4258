"""OpenAI's own client works against the emulator, unchanged but for its settings."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator

import openai
import pytest

from tests.emulators.checks import photo
from tests.emulators.faults import Fault
from tests.emulators.openai import OpenAi
from tests.emulators.openai.client import mask
from tests.emulators.openai.uploads import Upload


@pytest.fixture
def emulator() -> Iterator[OpenAi]:
    with OpenAi(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def client(emulator: OpenAi, monkeypatch: pytest.MonkeyPatch) -> Iterator[openai.OpenAI]:
    monkeypatch.setenv("OPENAI_BASE_URL", emulator.environment()["OPENAI_BASE_URL"])
    monkeypatch.setenv("OPENAI_API_KEY", emulator.environment()["OPENAI_API_KEY"])
    with openai.OpenAI(max_retries=0) as client:
        yield client


def test_the_official_client_generates_edits_and_streams(emulator: OpenAi, client: openai.OpenAI):
    model = "gpt-image-2.6-flare"

    made = client.images.generate(model=model, prompt="a red chair", n=2, moderation="low")
    single = client.images.edit(model=model, prompt="green", image=("room.png", photo(), "image/png"))
    several = client.images.edit(
        model=model,
        prompt="green",
        image=[("a.png", photo(), "image/png"), ("b.jpg", photo(64, 64, "JPEG"), "image/jpeg")],
        mask=("m.png", mask(), "image/png"),
        size="1536x864",
        output_format="jpeg",
        output_compression=90,
        n=1,
    )
    streamed = list(
        client.images.edit(
            model=model,
            prompt="green",
            image=("room.png", photo(), "image/png"),
            stream=True,
            partial_images=1,
        )
    )

    assert made.data is not None
    contents = [b64decode(image.b64_json or "") for image in made.data]
    assert contents == [picture.content for picture in emulator.tasks[0].pictures]
    assert (made.background, made.quality) == ("opaque", "medium")
    assert made.usage is not None
    assert made.usage.output_tokens > 0
    assert single.data is not None
    assert [upload.part for upload in emulator.tasks[1].request["image"]] == ["image"]
    assert several.output_format == "jpeg"
    sent = emulator.tasks[2].request
    assert [upload.part for upload in sent["image"]] == ["image[]", "image[]"]
    assert isinstance(sent["mask"], Upload)
    assert (sent["n"], sent["output_compression"]) == (1, 90)
    assert [event.type for event in streamed] == ["image_edit.partial_image", "image_edit.completed"]
    assert "gpt-image-2" in [each.id for each in client.models.list()]


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault.WRONG_KEY, openai.AuthenticationError, "invalid_api_key"),
        (Fault.OUT_OF_FUNDS, openai.RateLimitError, "insufficient_quota"),
        (Fault.FORBIDDEN, openai.PermissionDeniedError, None),
        (Fault.PROMPT_MODERATED, openai.BadRequestError, "moderation_blocked"),
        (Fault.OVERLOADED, openai.InternalServerError, "server_is_overloaded"),
        (Fault.BAD_GATEWAY, openai.InternalServerError, None),
    ],
)
def test_the_official_client_raises_its_own_errors(
    emulator: OpenAi,
    client: openai.OpenAI,
    fault: Fault,
    kind: type[openai.APIStatusError],
    code: str | None,
):
    emulator.script.next_submit = [fault]

    with pytest.raises(kind) as caught:
        client.images.generate(model="gpt-image-2", prompt="a red chair")

    assert caught.value.code == code


def test_the_official_client_raises_on_an_error_in_a_stream(emulator: OpenAi, client: openai.OpenAI):
    emulator.script.next_submit = [Fault.FAILED]
    stream = client.images.generate(model="gpt-image-2", prompt="a red chair", stream=True, partial_images=1)

    with pytest.raises(openai.APIError) as caught:
        list(stream)

    assert caught.value.code is None
    assert not isinstance(caught.value, openai.APIStatusError)
