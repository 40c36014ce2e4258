from __future__ import annotations

import asyncio
import io
import logging
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from editor.concurrency import processes
from editor.providers.base import (
    EditRequest,
    ErrorKind,
    InputImage,
    Progress,
    ProviderError,
    Result,
    Submitted,
)
from editor.providers.sandbox import adapter, render
from editor.providers.sandbox.adapter import Sandbox


def input_image(image: Image.Image) -> InputImage:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")

    async def load() -> bytes:
        return buffer.getvalue()

    return InputImage("image/png", image.width, image.height, load)


def request(
    prompt: str,
    *,
    images: int = 1,
    mask: InputImage | None = None,
    inputs: Mapping[str, Any] | None = None,
    samples: int = 1,
    size: tuple[int, int] = (64, 48),
) -> EditRequest:
    return EditRequest(
        job_id="job-1",
        tenant="workspace-1",
        model="black-forest-labs/flux-kontext-pro",
        target="sandbox",
        prompt=prompt,
        images=tuple(input_image(Image.new("RGB", size, (200, 60, 40))) for _ in range(images)),
        mask=mask,
        inputs=inputs or {},
        samples=samples,
    )


def never_ends(*args: object, **options: object) -> None:
    """A substitute for `render.render`."""
    while True:
        time.sleep(60)


def waits_for_go(
    recipe: render.Recipe, images: list[Path], mask: Path | None, *, report: Callable[[int], None]
) -> list[bytes]:
    """`render.render`, but it waits after its first step for a file "go" beside the images."""

    def wait(percent: int) -> None:
        report(percent)
        while percent and not (images[0].parent / "go").exists():
            time.sleep(0.01)

    return render.render(recipe, images, mask, report=wait)


async def finish(sandbox: Sandbox, wanted: EditRequest, task: Submitted) -> tuple[Result, list[int]]:
    seen: list[int] = []
    while True:
        answer = await sandbox.poll(wanted, task)
        if isinstance(answer, Result):
            return answer, seen
        seen.append(answer.percent or 0)
        await asyncio.sleep(answer.wait or 0)


async def run(wanted: EditRequest) -> Result:
    sandbox = Sandbox()
    result, _ = await finish(sandbox, wanted, await sandbox.submit(wanted))
    return result


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


async def error_of(wanted: EditRequest) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await run(wanted)
    return caught.value


async def test_an_edit_runs_from_submit_to_result() -> None:
    result = await run(request("black and white", inputs={"seed": 42, "outputFormat": "jpeg"}))
    (image,) = result.images
    assert image.content_type == "image/jpeg"
    assert opened(image.content).format == "JPEG"
    assert result.seed == 42


async def test_samples_and_aspect_ratio_are_honoured() -> None:
    inputs = {"seed": "0", "aspectRatio": "1:1", "steps": 28, "scale": 2.5}
    result = await run(request("sepia", inputs=inputs, samples=3))
    assert len({image.content for image in result.images}) == 3
    assert {opened(image.content).size for image in result.images} == {(48, 48)}


async def test_width_and_height_are_honoured_and_zero_means_the_size_of_the_input() -> None:
    (large,) = (await run(request("sepia", inputs={"width": 128, "height": 64}))).images
    (same,) = (await run(request("sepia", inputs={"width": 0, "height": 0}))).images
    assert opened(large.content).size == (128, 64)
    assert opened(same.content).size == (64, 48)


async def test_without_an_image_a_poster_is_made() -> None:
    (image,) = (await run(request("A red fox 🦊", images=0, inputs={"aspectRatio": "16:9"}))).images
    assert opened(image.content).size == (1360, 768)


async def test_what_is_not_understood_is_refused_at_submit() -> None:
    with pytest.raises(ProviderError, match="“make the cup bright blue”") as caught:
        await Sandbox().submit(request("make it warm and make the cup bright blue"))
    assert caught.value.kind is ErrorKind.INVALID_INPUT


async def test_characters_that_cannot_be_drawn_are_refused_at_submit() -> None:
    with pytest.raises(ProviderError, match="“中”") as caught:
        await Sandbox().submit(request('add the text "中" at the top'))
    assert caught.value.kind is ErrorKind.INVALID_INPUT
    await Sandbox().submit(request('add the text "Žižkov, Ελλάδα, Київ — 5 €" at the top'))


async def test_a_missing_second_image_is_refused_at_submit() -> None:
    with pytest.raises(ProviderError, match="needs 2 images") as caught:
        await Sandbox().submit(request("put image 2 onto image 1"))
    assert caught.value.kind is ErrorKind.INVALID_INPUT


async def test_submit_logs_once_and_starts_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="editor.sandbox")
    before = set(asyncio.all_tasks())
    task = await Sandbox().submit(request("sepia"))
    assert [record.getMessage() for record in caplog.records] == [f"accepted task={task.task_id} job=job-1"]
    assert set(asyncio.all_tasks()) == before


async def test_a_task_unknown_after_a_restart_returns_the_same_bytes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wanted = request("add grain")
    first = Sandbox()
    task = await first.submit(wanted)
    before, _ = await finish(first, wanted, task)
    caplog.clear()
    caplog.set_level(logging.INFO, logger="editor.sandbox")
    restarted, _ = await finish(Sandbox(), wanted, task)
    assert restarted == before
    assert not caplog.records


async def test_cancel_kills_the_work_and_ignores_an_unknown_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adapter, "POLL_HOLD", 0.01)
    monkeypatch.setattr(render, "render", never_ends)
    sandbox, wanted = Sandbox(), request("sepia")
    task = await sandbox.submit(wanted)
    assert isinstance(await sandbox.poll(wanted, task), Progress)
    (work,) = sandbox._work.values()
    await sandbox.cancel(wanted, task)
    assert work.task.cancelled()
    await sandbox.cancel(wanted, task)


async def test_progress_is_reported_while_the_work_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(render, "render", waits_for_go)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sandbox, wanted = Sandbox(), request("blur, sepia, gouache, grain, vignette", size=(900, 900))
    task = await sandbox.submit(wanted)
    percents = [0]
    while not percents[-1]:
        update = await sandbox.poll(wanted, task)
        assert isinstance(update, Progress)
        percents.append(update.percent or 0)
    (folder,) = tmp_path.glob("sandbox-*")
    (folder / "go").touch()
    _, seen = await finish(sandbox, wanted, task)
    percents += seen
    assert percents == sorted(percents)
    assert percents[-1] <= 100


async def test_slow_reports_steady_progress_from_the_submit() -> None:
    sandbox, wanted = Sandbox(), request("sepia [slow:9000]")
    task = await sandbox.submit(wanted)
    started = task.state["started_at"]
    percents = []
    for ago in (30, 3030, 6030, 8730):  # in the middle of a percent, which is 100 seconds
        answer = await sandbox.poll(wanted, Submitted(task.task_id, {"started_at": started - ago}))
        assert isinstance(answer, Progress)
        percents.append(answer.percent)
    assert percents == [0, 30, 60, 87]
    result, _ = await finish(sandbox, wanted, Submitted(task.task_id, {"started_at": started - 9001}))
    assert len(result.images) == 1


async def test_a_slow_task_takes_the_requested_time() -> None:
    started = time.monotonic()
    await run(request("sepia [slow:1]"))
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("[moderate]", ErrorKind.MODERATED),
        ("[fail]", ErrorKind.UNAVAILABLE),
        ("[fail:submit]", ErrorKind.UNAVAILABLE),
    ],
)
async def test_test_words_fail_as_documented(word: str, kind: ErrorKind) -> None:
    assert (await error_of(request(f"sepia {word}"))).kind is kind


async def test_only_fail_submit_fails_at_submit() -> None:
    for word in ("[moderate]", "[fail]", "[timeout]"):
        await Sandbox().submit(request(word))
    with pytest.raises(ProviderError):
        await Sandbox().submit(request("[FAIL:SUBMIT]"))


async def test_timeout_never_finishes() -> None:
    sandbox, wanted = Sandbox(), request("sepia [timeout]")
    task = await sandbox.submit(wanted)
    old = Submitted(task.task_id, {"started_at": 0.0})
    assert isinstance(await sandbox.poll(wanted, old), Progress)
    assert not sandbox._work


async def test_a_prompt_of_test_words_alone_keeps_the_image() -> None:
    (image,) = (await run(request("[slow:0]"))).images
    assert opened(image.content).getcolors() == [(64 * 48, (200, 60, 40))]


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (processes.TimedOut("slow"), ErrorKind.TIMEOUT),
        (processes.Crashed("gone"), ErrorKind.UNAVAILABLE),
    ],
)
async def test_errors_of_the_child_process_are_translated(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, kind: ErrorKind
) -> None:
    async def trouble(*args: object, **options: object) -> list[bytes]:
        raise raised

    monkeypatch.setattr(processes, "run", trouble)
    assert (await error_of(request("sepia"))).kind is kind


async def test_a_result_too_large_is_invalid_input() -> None:
    error = await error_of(request("resize to 9000x9000"))
    assert error.kind is ErrorKind.INVALID_INPUT
    assert "25 megapixels" in error.message


async def test_rendering_runs_for_the_requests_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    async def spy(function: object, *args: object, **options: object) -> list[bytes]:
        seen.update(options, function=function)
        return [b""]

    monkeypatch.setattr(processes, "run", spy)
    await run(request("sepia"))
    assert seen["function"] is render.render
    assert seen["tenant"] == "workspace-1"


async def test_a_refusal_at_submit_says_that_a_preset_added_the_words() -> None:
    wanted = replace(request("warmer, as a clay figure"), written="[slow:1] warmer")
    with pytest.raises(ProviderError, match="“as a clay figure”, which the chosen style or character adds"):
        await Sandbox().submit(wanted)
