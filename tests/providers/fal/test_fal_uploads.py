"""Images that are too large for a request are uploaded to fal first."""

from __future__ import annotations

import os

from editor.providers.base import ErrorKind
from editor.providers.fal.adapter import Fal as Adapter
from editor.providers.fal.requests import INLINE_BYTES
from tests.emulators.fal import Fal
from tests.emulators.faults import Fault, Step
from tests.providers.calls import failure
from tests.providers.contract.spec import GREEN, RED
from tests.providers.edits import edit, is_final, run
from tests.providers.fal.spec import FLUX_2, KONTEXT, LARGE


async def test_large_images_are_uploaded_first(adapter: Adapter, fal: Fal):
    first, second = (image + os.urandom(INLINE_BYTES // 2) for image in (RED, GREEN))

    result = await run(adapter, edit(fal, FLUX_2, first, second))

    task = fal.tasks[0]
    assert result.images[0].content == task.pictures[0].content
    links = task.request["image_urls"]
    assert [link.startswith(f"{fal.url}/files/") for link in links] == [True, True]
    files = [fal.files[link.removeprefix(f"{fal.url}/files/")] for link in links]
    assert [file.content for file in files] == [first, second]
    assert [file.content_type for file in files] == ["image/png", "image/png"]
    assert all(file.expires_at is not None for file in files)
    uploads = [call for call in fal.calls if call.step is Step.UPLOAD]
    assert ["authorization" in call.headers for call in uploads] == [True, False, True, False]


async def test_a_refused_upload_ends_the_submit(adapter: Adapter, fal: Fal):
    fal.script.next_upload = [None, Fault.SERVER_ERROR]

    error = await failure(adapter.submit(edit(fal, KONTEXT, LARGE)))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "did not take the image" in error.message
    assert fal.tasks == []
