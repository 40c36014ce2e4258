"""What an edit becomes in a request to Wiro."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from editor.providers.base import Account, ErrorKind, ProviderError
from editor.providers.wiro import requests
from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.checks import opened, photo
from tests.emulators.receiver import Receiver
from tests.emulators.wiro import Wiro
from tests.providers.edits import image, is_final, png, run
from tests.providers.wiro.edits import DEV, FLEX, FLUX_2, KLEIN, KONTEXT, contents, edit

RED, GREEN, BLUE = png("red"), png("green"), png("blue")
PROMPT = "make the sky stormy"


@pytest.mark.parametrize("secret", ["test-api-secret", None])
async def test_requests_are_signed_where_the_project_has_a_secret(
    adapter: Adapter, wiro: Wiro, secret: str | None
):
    wiro.secret = secret

    await run(adapter, edit(wiro, FLUX_2, RED))

    told = [call.headers for call in wiro.calls if call.step != "download"]
    assert len(told) >= 3  # upload, run, detail
    nonces = {headers.get("x-nonce") for headers in told}
    assert len(nonces) == len(told) if secret else nonces == {None}
    assert wiro.key not in str(wiro.calls[-1].headers)  # of the download


def test_the_signature_is_that_of_the_contract():
    account = Account(key="test-api-key", secret="test-api-secret")

    assert requests.headers(account, nonce="1734513809") == {
        "x-api-key": "test-api-key",
        "x-nonce": "1734513809",
        "x-signature": "1bffbfd309fba76ce06fcbc394a6eae6b6836c15c5982de31646f03ce278e33b",
    }


async def test_two_images_have_a_field_each_where_the_model_has_two(adapter: Adapter, wiro: Wiro):
    await run(adapter, edit(wiro, DEV, RED, GREEN))

    sent = wiro.tasks[0].request
    assert contents([sent["inputImageUrl"], sent["inputImage2Url"]]) == [RED, GREEN]


async def test_webp_becomes_png_for_models_that_do_not_read_it(adapter: Adapter, wiro: Wiro):
    webp = photo(pillow_format="WEBP")
    request = replace(edit(wiro, KONTEXT), images=(image(webp, "image/webp"),))

    await run(adapter, request)
    await run(adapter, replace(request, target=DEV))

    kontext, dev = contents([task.request["inputImageUrl"] for task in wiro.tasks])
    assert opened(kontext) == ("PNG", (320, 256))
    assert dev == webp


@pytest.mark.parametrize(
    ("target", "inputs", "sent"),
    [
        (FLUX_2, {"width": 1024, "height": 768}, {"width": 1024, "height": 768}),
        (FLUX_2, {"width": 0, "height": 0}, {"width": 0, "height": 0}),
        (FLUX_2, {"safetyTolerance": 6}, {"safetyTolerance": 5}),
        (FLUX_2, {"seed": 4294967295}, {"seed": "4967295"}),
        (FLUX_2, {"outputFormat": "jpeg"}, {"outputFormat": "jpeg"}),
        (FLUX_2, {"promptUpsampling": "true", "aspectRatio": "1:1", "samples": 2}, {}),
        (FLEX, {"steps": 20, "guidance": 4.5}, {"steps": 20, "guidance": 4.5}),
        (KLEIN, {"guidance": 4.5, "outputFormat": "png"}, {"scale": 4.5}),
        (KONTEXT, {"promptUpsampling": "true"}, {"promptUpsampling": "true"}),
        (KONTEXT, {"safetyTolerance": "2", "aspectRatio": "", "outputFormat": None}, {}),
        (DEV, {"scale": 3.5, "steps": 30, "samples": 2}, {"scale": 3.5, "steps": 30, "samples": 2}),
    ],
)
async def test_options_are_sent_as_the_model_knows_them(
    adapter: Adapter, wiro: Wiro, target: str, inputs: dict[str, Any], sent: dict[str, Any]
):
    await adapter.submit(edit(wiro, target, **{"seed": "7"} | inputs))

    assert wiro.tasks[0].request == {"prompt": PROMPT, "seed": "7"} | sent


async def test_a_model_that_the_adapter_does_not_know_gets_all_its_inputs(adapter: Adapter, wiro: Wiro):
    await run(adapter, edit(wiro, "wiro/FLUX.2-dev", RED, steps=15, seed=5, somethingNew="x"))

    [task] = wiro.tasks
    assert contents(task.request.pop("inputImage")) == [RED]
    assert task.request == {"prompt": PROMPT, "steps": 15, "seed": "5", "somethingNew": "x"}


@pytest.mark.parametrize(("target", "seed"), [(FLUX_2, ""), (FLUX_2, None), (DEV, "0"), (KLEIN, 0)])
async def test_a_seed_that_is_left_open_is_chosen_and_told(
    adapter: Adapter, wiro: Wiro, target: str, seed: Any
):
    results = [await run(adapter, edit(wiro, target, seed=seed)) for _ in range(2)]

    sent = [int(task.request["seed"]) for task in wiro.tasks]
    assert [result.seed for result in results] == sent
    assert len(set(sent)) == 2
    assert all(1 <= each < 2**32 for each in sent)


async def test_a_seed_of_zero_is_kept_where_it_is_one(adapter: Adapter, wiro: Wiro):
    assert (await adapter.submit(edit(wiro, FLUX_2, seed=0))).state["seed"] == 0
    assert wiro.tasks[0].request["seed"] == "0"


@pytest.mark.parametrize(
    ("target", "count", "most"), [(KONTEXT, 2, "one image"), (DEV, 3, "2 images"), (FLUX_2, 9, "8 images")]
)
async def test_more_images_than_the_model_takes_are_refused(
    adapter: Adapter, wiro: Wiro, target: str, count: int, most: str
):
    with pytest.raises(ProviderError, match=f"at most {most}") as caught:
        await adapter.submit(edit(wiro, target, *[RED] * count))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert wiro.calls == []


async def test_a_mask_is_never_ignored(adapter: Adapter, wiro: Wiro):
    with pytest.raises(ProviderError, match="not support masks") as caught:
        await adapter.submit(edit(wiro, FLUX_2, RED, mask=png("white", mode="L")))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert wiro.calls == []


async def test_the_callback_url_is_handed_over(adapter: Adapter, wiro: Wiro):
    with Receiver() as receiver:
        await adapter.submit(edit(wiro, callback_url=receiver.url))
        receiver.wait(1)

    assert wiro.tasks[0].request["callbackUrl"] == receiver.url


def test_wiros_own_socket_is_on_another_host():
    assert requests.socket_address("https://api.wiro.ai") == "wss://socket.wiro.ai/v1"
    assert requests.socket_address("https://wiro.example") == "wss://wiro.example/v1"
    assert requests.socket_address("http://127.0.0.1:8000") == "ws://127.0.0.1:8000/v1"


def test_slugs_are_quoted():
    assert requests.run_path("wiro/Virtual Try-On") == "Run/wiro/Virtual%20Try-On"
