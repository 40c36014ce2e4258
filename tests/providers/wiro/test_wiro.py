"""Edits at Wiro that go well: what is sent, and what comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from editor.providers import http
from editor.providers.base import Account, ErrorKind, Progress, ProviderError
from editor.providers.wiro import adapter as module
from editor.providers.wiro import requests
from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.checks import http as client
from tests.emulators.checks import opened, photo
from tests.emulators.receiver import Receiver
from tests.emulators.wiro import Wiro
from tests.providers.edits import finish, image, is_final, png, run
from tests.providers.wiro.edits import DEV, FLEX, FLUX_2, KLEIN, KONTEXT, edit

RED, GREEN, BLUE = png("red"), png("green"), png("blue")
PROMPT = "make the sky stormy"


def contents(links: list[str]) -> list[bytes]:
    return [client.get(link).content for link in links]


async def test_a_prompt_alone_makes_an_image(adapter: Adapter, wiro: Wiro):
    result = await run(adapter, edit(wiro, KONTEXT, seed="42", aspectRatio="16:9", outputFormat="jpeg"))

    [task] = wiro.tasks
    assert [each.content for each in result.images] == [task.pictures[0].content]
    assert result.images[0].content_type == "image/jpeg"
    assert result.seed == 42
    assert task.path == "/v1/Run/black-forest-labs/flux-kontext-pro"
    assert task.request == {
        "prompt": PROMPT,
        "seed": "42",
        "aspectRatio": "16:9",
        "outputFormat": "jpeg",
    }


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


@pytest.mark.parametrize("ahead", [3600, -3600])
async def test_the_clocks_may_differ(adapter: Adapter, wiro: Wiro, ahead: float):
    wiro.ahead = ahead

    result = await run(adapter, edit(wiro, FLUX_2, RED))

    assert result.images[0].content == wiro.tasks[0].pictures[0].content


@pytest.mark.parametrize(
    ("target", "field"), [(KONTEXT, "inputImageUrl"), (DEV, "inputImageUrl"), (FLUX_2, "inputImage")]
)
async def test_an_image_is_edited(adapter: Adapter, wiro: Wiro, target: str, field: str):
    result = await run(adapter, edit(wiro, target, RED))

    [task] = wiro.tasks
    assert result.images[0].content == task.pictures[0].content
    link = task.request[field]
    assert contents([link] if isinstance(link, str) else link) == [RED]


@pytest.mark.parametrize("target", [FLUX_2, FLEX, KLEIN])
async def test_references_go_in_their_order(adapter: Adapter, wiro: Wiro, target: str):
    await run(adapter, edit(wiro, target, RED, GREEN, BLUE))

    assert contents(wiro.tasks[0].request["inputImage"]) == [RED, GREEN, BLUE]


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
        (FLUX_2, {"outputFormat": "webp"}, {"outputFormat": "png"}),
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


async def test_several_samples_come_in_order(adapter: Adapter, wiro: Wiro):
    result = await run(adapter, edit(wiro, DEV, RED, samples=3))

    assert [each.content for each in result.images] == [each.content for each in wiro.tasks[0].pictures]
    assert len(result.images) == 3


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
    with pytest.raises(ProviderError, match="no mask") as caught:
        await adapter.submit(edit(wiro, FLUX_2, RED, mask=png("white", mode="L")))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert wiro.calls == []


async def test_the_callback_url_is_handed_over(adapter: Adapter, wiro: Wiro):
    with Receiver() as receiver:
        await adapter.submit(edit(wiro, callback_url=receiver.url))
        receiver.wait(1)

    assert wiro.tasks[0].request["callbackUrl"] == receiver.url


async def test_a_task_runs_until_it_is_stored(adapter: Adapter, wiro: Wiro):
    wiro.seconds = 100
    request = edit(wiro)
    task = await adapter.submit(request)

    for _ in range(10):  # task_end comes before the end
        assert await adapter.poll(request, task) == Progress()
        wiro.ahead += 9.9
    wiro.ahead += 2

    result = await finish(adapter, request, task)
    assert result.images[0].content == wiro.tasks[0].pictures[0].content


async def test_a_task_is_found_again_after_a_restart(adapter: Adapter, wiro: Wiro):
    request = edit(wiro)
    task = await adapter.submit(request)
    await http.close()

    result = await finish(Adapter(), request, task)

    assert result.images[0].content == wiro.tasks[0].pictures[0].content


async def test_the_state_that_is_stored_holds_no_key(adapter: Adapter, wiro: Wiro):
    task = await adapter.submit(edit(wiro))

    assert sorted(task.state) == ["seed", "submitted_at", "token"]
    assert wiro.key not in repr(task)
    assert str(wiro.secret) not in repr(task)


@pytest.mark.parametrize(("percent", "path"), [(0, "Task/Cancel"), (50, "Task/Kill")])
async def test_a_task_is_cancelled_in_the_queue_and_killed_later(
    adapter: Adapter, wiro: Wiro, percent: int, path: str
):
    wiro.seconds = 100
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.ahead += percent

    await adapter.cancel(request, task)

    assert wiro.tasks[0].cancelled_at is not None
    assert wiro.calls[-1].url.endswith(path)


async def test_a_task_between_queue_and_start_is_killed_as_soon_as_it_can_be(adapter: Adapter, wiro: Wiro):
    wiro.seconds = 4
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.ahead += 0.5  # it may be killed half a second later

    await adapter.cancel(request, task)

    assert wiro.tasks[0].cancelled_at is not None


async def test_a_task_that_has_ended_is_no_trouble_to_cancel(
    adapter: Adapter, wiro: Wiro, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "CANCEL_PAUSES", (0.01,))
    request = edit(wiro)
    task = await adapter.submit(request)
    await finish(adapter, request, task)

    await adapter.cancel(request, task)

    assert sum(call.step == "cancel" for call in wiro.calls) == 4


async def test_a_cancel_that_nobody_answers_is_no_trouble(adapter: Adapter, wiro: Wiro):
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.stop()

    await adapter.cancel(request, task)


@pytest.mark.parametrize("secret", ["test-api-secret", None])
async def test_the_check_tries_the_key(adapter: Adapter, wiro: Wiro, secret: str | None):
    wiro.secret = secret
    account = edit(wiro).account

    assert await adapter.check(account) == ""
    for wrong in (replace(account, key="wrong"), replace(account, key="")):
        with pytest.raises(ProviderError, match="API key") as caught:
            await adapter.check(wrong)
        assert is_final(caught.value, ErrorKind.AUTH)
    assert wiro.tasks == []


@pytest.mark.parametrize("secret", ["", "wrong"])
async def test_the_check_finds_a_wrong_secret(adapter: Adapter, wiro: Wiro, secret: str):
    with pytest.raises(ProviderError) as caught:
        await adapter.check(replace(edit(wiro).account, secret=secret))

    assert is_final(caught.value, ErrorKind.AUTH)


def test_wiros_own_socket_is_on_another_host():
    assert requests.socket_address("https://api.wiro.ai") == "wss://socket.wiro.ai/v1"
    assert requests.socket_address("https://wiro.example") == "wss://wiro.example/v1"
    assert requests.socket_address("http://127.0.0.1:8000") == "ws://127.0.0.1:8000/v1"


def test_slugs_are_quoted():
    assert requests.run_path("wiro/Virtual Try-On") == "Run/wiro/Virtual%20Try-On"
