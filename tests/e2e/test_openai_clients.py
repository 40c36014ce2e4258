"""OpenAI's own clients against the portal, unchanged except for base URL and key."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types import ImageEditCompletedEvent, ImageGenCompletedEvent
from PIL import Image as Picture

from tests.e2e.api import Api, open_spaces
from tests.factories import photo
from tests.patience import PATIENCE

CLIENTS = Path(__file__).with_name("clients")
MODEL = "gpt-image-2.6-flare"
PRICE = 5  # credits of one image of this model
GREY = "Make it black and white"
SECONDS = 600


def mask() -> bytes:
    """A mask of the images' size; the left half may change."""
    image = Picture.new("RGBA", (96, 64), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 48, 64))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


FIRST = ("first.png", photo(colour="teal"), "image/png")
SECOND = ("second.jpg", photo(colour="red", format="JPEG"), "image/jpeg")
MASK = ("mask.png", mask(), "image/png")


@pytest.fixture(scope="module")
def keys(api: Api) -> dict[str, str]:
    """Keys of the API's workspaces, and of two whose rate limits no other test uses."""
    slow = {name: {"workspace": name.title(), "requests_per_minute": 3} for name in ("python", "node")}
    return api.keys | open_spaces(api.portal, slow)


@pytest.fixture
def client(api: Api, keys: dict[str, str]) -> Iterator[openai.OpenAI]:
    with connect(api, keys["plain"]) as client:
        yield client


def connect(api: Api, key: str, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{api.portal.url}/v1", api_key=key, **{"max_retries": 0, **options})


def stored(api: Api, answer: Any) -> list[bytes]:
    """The results of the job named in a response, fetched from the portal."""
    job = api.client("plain").job(answer["job_id"] if isinstance(answer, dict) else answer.job_id)
    return [api.http("plain").get(result["url"]).content for result in job["results"]]


def balance(api: Api) -> int:
    found = api.portal.query(
        "SELECT balance FROM editor_creditaccount JOIN editor_workspace w ON w.id = workspace_id "
        "WHERE slug = 'plain'"
    )
    return int(found[0][0])


def test_images_are_generated_from_text(api: Api, client: openai.OpenAI) -> None:
    made = client.images.generate(model=MODEL, prompt="a red chair", n=2, size="1536x1024", quality="low")
    assert made.data is not None
    contents = [b64decode(image.b64_json or "") for image in made.data]
    assert contents == stored(api, made)
    assert len(contents) == 2
    with Picture.open(BytesIO(contents[0])) as picture:
        assert (picture.format, f"{picture.width}x{picture.height}") == ("PNG", made.size)
        assert picture.width / picture.height == pytest.approx(1.5, abs=0.02)
    assert (made.background, made.output_format, made.quality) == ("opaque", "png", "low")
    assert made.usage is not None
    assert (made.usage.total_tokens, made.usage.model_dump()["credits"]) == (0, 2 * PRICE)


def test_an_image_is_changed_only_within_its_mask(api: Api, client: openai.OpenAI) -> None:
    edited = client.images.edit(model=MODEL, prompt=GREY, image=[FIRST, SECOND], mask=MASK)
    assert edited.data is not None
    (content,) = [b64decode(image.b64_json or "") for image in edited.data]
    assert [content] == stored(api, edited)
    with Picture.open(BytesIO(content)) as picture:
        assert picture.size == (96, 64)
        left, right = (picture.convert("RGB").getpixel((x, 60)) for x in (8, 88))
    assert isinstance(left, tuple)
    assert max(left) - min(left) <= 2
    assert right == (0, 128, 128)
    job = api.client("plain").job(edited.model_dump()["job_id"])
    assert (job["model"], job["credits_consumed"]) == ("openai/gpt-image-2.6-flare", PRICE)


def test_an_image_is_returned_by_url_in_another_format(api: Api, client: openai.OpenAI) -> None:
    edited = client.images.edit(
        prompt=GREY,
        image=FIRST,
        output_format="jpeg",
        input_fidelity="high",
        user="somebody",
        response_format="url",
        extra_body={"new": "field"},
    )
    assert edited.data is not None
    (image,) = edited.data
    assert image.b64_json is None
    assert image.url is not None
    assert image.url.startswith(f"{api.portal.url}/i/")
    assert [api.http("plain").get(image.url).content] == stored(api, edited)
    assert (edited.output_format, edited.size) == ("jpeg", "96x64")


def test_options_of_the_model_are_passed_on(api: Api, client: openai.OpenAI) -> None:
    twice = [
        client.images.edit(prompt=GREY, image=FIRST, model="pro", extra_body={"seed": 7}) for _ in range(2)
    ]
    jobs = [api.client("plain").job(edited.model_dump()["job_id"]) for edited in twice]
    assert [job["seed"] for job in jobs] == [7, 7]
    assert stored(api, twice[0]) == stored(api, twice[1])


def test_an_edit_is_streamed(api: Api, client: openai.OpenAI) -> None:
    stream = client.images.edit(prompt=f"{GREY} [slow:1]", image=FIRST, stream=True, partial_images=2)
    (event,) = list(stream)
    assert isinstance(event, ImageEditCompletedEvent)
    assert [b64decode(event.b64_json)] == stored(api, event)
    assert (event.size, event.output_format, event.background) == ("96x64", "png", "opaque")


def test_several_images_are_streamed_one_by_one(api: Api, client: openai.OpenAI) -> None:
    made = list(client.images.generate(model=MODEL, prompt="a red chair", n=2, stream=True))
    assert all(isinstance(event, ImageGenCompletedEvent) for event in made)
    assert [b64decode(event.b64_json) for event in made] == stored(api, made[0])


def test_a_stream_reports_a_failure(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIError) as raised:
        list(client.images.generate(prompt="a red chair [moderate]", stream=True))
    assert raised.value.code == "moderation_blocked"


def test_models_are_listed(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {MODEL, "gpt-image-1", "dall-e-3", "standard", "black-forest-labs/flux-2-pro"} <= set(names)
    assert client.models.retrieve("black-forest-labs/flux-2-pro").owned_by == "Black Forest Labs"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")


@pytest.mark.parametrize(
    ("fields", "kind", "code", "param"),
    [
        ({"prompt": "a chair [moderate]"}, openai.BadRequestError, "moderation_blocked", None),
        ({"prompt": "x", "size": "huge"}, openai.BadRequestError, "invalid_value", "size"),
        ({"prompt": "x", "n": 3}, openai.BadRequestError, "invalid_value", "n"),
        ({"prompt": "x", "model": "gpt-9"}, openai.NotFoundError, "model_not_found", "model"),
        ({"prompt": "a chair [fail]"}, openai.InternalServerError, "server_is_overloaded", None),
    ],
)
def test_errors_raise_the_clients_exceptions(
    api: Api, client: openai.OpenAI, fields: Any, kind: type[openai.APIStatusError], code: str, param: str
) -> None:
    before = balance(api)
    with pytest.raises(kind) as raised:
        client.images.generate(**fields)
    assert (raised.value.code, raised.value.param) == (code, param)
    assert (raised.value.request_id or "").startswith("req_")
    assert balance(api) == before


def test_a_bad_image_is_reported_by_its_number(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="image 2") as raised:
        client.images.edit(model=MODEL, prompt=GREY, image=[FIRST, ("b.png", b"nothing", "image/png")])
    assert (raised.value.code, raised.value.param) == ("invalid_image_file", "image")


def test_invalid_keys_missing_scopes_and_rate_limits_raise_the_clients_exceptions(
    api: Api, keys: dict[str, str]
) -> None:
    with connect(api, "wrong") as client, pytest.raises(openai.AuthenticationError) as wrong:
        client.images.generate(prompt="x")
    assert wrong.value.code == "invalid_api_key"
    with connect(api, keys["reader"]) as client, pytest.raises(openai.PermissionDeniedError):
        client.images.generate(prompt="x")
    with connect(api, keys["python"]) as client, pytest.raises(openai.RateLimitError) as limited:
        for _ in range(10):
            client.models.list()
    assert limited.value.code == "rate_limit_exceeded"
    assert 1 <= int(limited.value.response.headers["retry-after"]) <= 60


def test_clients_do_not_retry_without_credits(api: Api, keys: dict[str, str]) -> None:
    with connect(api, keys["poor"], max_retries=2) as client, pytest.raises(openai.RateLimitError) as poor:
        client.images.generate(prompt="x")
    assert poor.value.code == "insufficient_quota"
    assert poor.value.response.request.headers["x-stainless-retry-count"] == "0"


def test_a_request_repeated_with_its_idempotency_key_is_paid_once(api: Api, client: openai.OpenAI) -> None:
    headers = {"Idempotency-Key": "once"}
    twice = [
        client.images.with_raw_response.edit(prompt=GREY, image=FIRST, extra_headers=headers)
        for _ in range(2)
    ]
    assert twice[0].content == twice[1].content
    assert [answer.headers.get("idempotency-replayed") for answer in twice] == [None, "true"]
    assert [answer.headers["x-credits-charged"] for answer in twice] == ["4", "4"]
    paid = [entry for entry in api.ledger(json.loads(twice[0].content)["job_id"]) if entry[0] == "hold"]
    assert len(paid) == 1


class Impatient(httpx.HTTPTransport):
    """Has a read timeout of two seconds until it has timed out once after the job was created.

    lost  is called then; later requests wait longer
    """

    def __init__(self, is_taken: Callable[[], bool], lost: Callable[[], None]) -> None:
        super().__init__()
        self._is_taken, self._lost, self._waits = is_taken, lost, False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["timeout"]["read"] = PATIENCE if self._waits else 2
        try:
            return super().handle_request(request)
        except httpx.ReadTimeout:
            if not self._waits and self._is_taken():
                self._waits = True
                self._lost()
            raise


def test_a_client_that_times_out_and_retries_pays_once(api: Api, keys: dict[str, str]) -> None:
    before, jobs = balance(api), api.portal.query("SELECT count(*) FROM editor_job")
    with ExitStack() as held:
        held.enter_context(api.portal.no_new_images())

        def is_taken() -> bool:
            return api.portal.query("SELECT count(*) FROM editor_job") > jobs

        with httpx.Client(transport=Impatient(is_taken, held.close)) as http:
            client = connect(api, keys["plain"], http_client=http, max_retries=50)
            answer = client.images.with_raw_response.generate(prompt="a red chair")
    assert answer.headers["idempotency-replayed"] == "true"
    assert balance(api) == before - 4


def test_the_node_client_does_the_same(api: Api, keys: dict[str, str], tmp_path: Path) -> None:
    for name, content, _ in (FIRST, ("second.png", photo(colour="red"), ""), MASK):
        (tmp_path / name).write_bytes(content)
    environment = {
        **os.environ,
        "OPENAI_BASE_URL": f"{api.portal.url}/v1",
        "OPENAI_API_KEY": keys["plain"],
        "KEYS": json.dumps({"reader": keys["reader"], "poor": keys["poor"], "slow": keys["node"]}),
        "PICTURES": str(tmp_path),
    }
    done = subprocess.run(
        [os.environ.get("PORTAL_NODE", "node"), "openai.mjs"],
        cwd=CLIENTS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)

    assert {MODEL, "standard"} <= set(got["models"])
    assert got["model"]["id"] == "standard"
    for name in ("generated", "edited"):
        assert [b64decode(image["b64_json"]) for image in got[name]["data"]] == stored(api, got[name])
    assert len(got["generated"]["data"]) == 2
    assert (got["edited"]["output_format"], got["edited"]["size"]) == ("jpeg", "96x64")
    link = got["linked"]["data"][0]["url"]
    assert [api.http("plain").get(link).content] == stored(api, got["linked"])
    for name, kind in (("streamed", "image_edit.completed"), ("painted", "image_generation.completed")):
        (event,) = got[name]
        assert event["type"] == kind
        assert [b64decode(event["b64_json"])] == stored(api, event)

    refused = {name: (it["name"], it["code"], it["param"]) for name, it in got["refused"].items()}
    assert refused == {
        "moderation": ("BadRequestError", "moderation_blocked", None),
        "failure": ("InternalServerError", "server_is_overloaded", None),
        "size": ("BadRequestError", "invalid_value", "size"),
        "model": ("NotFoundError", "model_not_found", "model"),
        "image": ("BadRequestError", "invalid_image_file", "image"),
        "key": ("AuthenticationError", "invalid_api_key", None),
        "scope": ("PermissionDeniedError", None, None),
        "credits": ("RateLimitError", "insufficient_quota", None),
        "rate": ("RateLimitError", "rate_limit_exceeded", None),
    }
    assert all(it["named"] for it in got["refused"].values())
    assert got["attempts"] == 1
