"""What an edit becomes in a request to Wiro."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from editor.providers.base import Account
from editor.providers.wiro import requests
from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.checks import opened, photo
from tests.emulators.wiro import Wiro
from tests.providers.contract.spec import BLUE, GREEN, PROMPT, RED
from tests.providers.edits import contents, edit, image, run
from tests.providers.wiro.spec import DEV, FLEX, FLUX_2, KLEIN, KONTEXT


@pytest.mark.parametrize("secret", ["test-api-secret", None])
async def test_requests_are_signed_if_the_project_has_a_secret(
    adapter: Adapter, wiro: Wiro, secret: str | None
):
    wiro.secret = secret

    await run(adapter, edit(wiro, FLUX_2, RED))

    reported = [call.headers for call in wiro.calls if call.step != "download"]
    assert len(reported) >= 3  # upload, run, detail
    nonces = {headers.get("x-nonce") for headers in reported}
    assert len(nonces) == len(reported) if secret else nonces == {None}
    assert wiro.key not in str(wiro.calls[-1].headers)  # the download


def test_the_signature_is_that_of_the_contract():
    account = Account(key="test-api-key", secret="test-api-secret")

    assert requests.headers(account, nonce="1734513809") == {
        "x-api-key": "test-api-key",
        "x-nonce": "1734513809",
        "x-signature": "1bffbfd309fba76ce06fcbc394a6eae6b6836c15c5982de31646f03ce278e33b",
    }


async def test_two_images_have_a_field_each_if_the_model_has_two(adapter: Adapter, wiro: Wiro):
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


@pytest.mark.parametrize("target", [KONTEXT, DEV])
async def test_some_models_take_one_url(adapter: Adapter, wiro: Wiro, target: str):
    await adapter.submit(edit(wiro, target, RED))

    assert contents([wiro.tasks[0].request["inputImageUrl"]]) == [RED]


@pytest.mark.parametrize("target", [FLEX, KLEIN])
async def test_references_are_sent_in_order(adapter: Adapter, wiro: Wiro, target: str):
    await adapter.submit(edit(wiro, target, RED, GREEN, BLUE))

    assert contents(wiro.tasks[0].request["inputImage"]) == [RED, GREEN, BLUE]


async def test_a_model_unknown_to_the_adapter_gets_all_its_inputs(adapter: Adapter, wiro: Wiro):
    await run(adapter, edit(wiro, "wiro/FLUX.2-dev", RED, steps=15, seed=5, somethingNew="x"))

    [task] = wiro.tasks
    assert contents(task.request.pop("inputImage")) == [RED]
    assert task.request == {"prompt": PROMPT, "steps": 15, "seed": "5", "somethingNew": "x"}


@pytest.mark.parametrize(("target", "seed"), [(FLUX_2, ""), (FLUX_2, None), (DEV, "0"), (KLEIN, 0)])
async def test_a_seed_is_chosen_and_reported_if_none_is_given(
    adapter: Adapter, wiro: Wiro, target: str, seed: Any
):
    results = [await run(adapter, edit(wiro, target, seed=seed)) for _ in range(2)]

    sent = [int(task.request["seed"]) for task in wiro.tasks]
    assert [result.seed for result in results] == sent
    assert len(set(sent)) == 2
    assert all(1 <= each < 2**32 for each in sent)


@pytest.mark.parametrize(("seed", "sent"), [(0, "0"), ("7", "7"), (4294967295, "4967295")])
async def test_a_seed_is_within_the_models_range(adapter: Adapter, wiro: Wiro, seed: Any, sent: str):
    task = await adapter.submit(edit(wiro, FLUX_2, seed=seed))

    assert task.state["seed"] == int(sent)
    assert wiro.tasks[0].request["seed"] == sent


def test_wiros_own_socket_is_on_another_host():
    assert requests.socket_address("https://api.wiro.ai") == "wss://socket.wiro.ai/v1"
    assert requests.socket_address("https://wiro.example") == "wss://wiro.example/v1"
    assert requests.socket_address("http://127.0.0.1:8000") == "ws://127.0.0.1:8000/v1"


def test_slugs_are_quoted():
    assert requests.run_path("wiro/Virtual Try-On") == "Run/wiro/Virtual%20Try-On"
