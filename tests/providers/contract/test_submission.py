"""The request arrives once, and the result is what the provider made."""

from __future__ import annotations

from editor.providers.base import ErrorKind, Result
from tests.emulators.faults import NOT_AN_IMAGE, Fault, Step
from tests.emulators.receiver import Receiver
from tests.providers.calls import failure
from tests.providers.contract.spec import BLUE, GREEN, RED, SEED, UnderTest
from tests.providers.contract.specs import APIS, IMMEDIATE, POLLED, SPECS, each
from tests.providers.edits import finish, is_final, run


def assert_made(result: Result, provider: UnderTest) -> None:
    """The result has all images of the provider's only task."""
    made = provider.task.pictures
    assert [image.content for image in result.images] == [picture.content for picture in made]
    assert {image.content_type for image in result.images} == {made[0].content_type}


@each(SPECS)
async def test_a_prompt_alone_makes_an_image(provider: UnderTest):
    result = await run(provider.adapter, provider.edit(seed=str(SEED)))

    assert_made(result, provider)
    assert result.seed == (SEED if provider.spec.seeded else None)
    assert provider.task.path == provider.spec.path
    assert provider.task.request == provider.spec.body
    name, value = provider.spec.auth
    assert provider.task.headers[name] == value.format(key=provider.emulator.key)
    assert provider.emulator.key not in str([call.url for call in provider.emulator.calls])


@each(APIS)
async def test_an_image_is_edited(provider: UnderTest):
    request = provider.edit(RED)
    task = await provider.adapter.submit(request)
    result = task.result or await finish(provider.adapter, request, task)

    assert task.task_id == provider.task.id
    assert (task.result is not None) == provider.spec.immediate
    assert_made(result, provider)
    assert result.seed == (provider.task.pictures[0].seed if provider.spec.seeded else None)
    assert provider.spec.images(provider.task) == [RED]


@each(SPECS)
async def test_several_images_arrive_complete_and_in_order(provider: UnderTest):
    result = await run(provider.adapter, provider.edit(RED, GREEN, BLUE))

    assert_made(result, provider)
    assert provider.spec.images(provider.task) == [RED, GREEN, BLUE]


@each(spec for spec in SPECS if spec.samples)
async def test_several_samples_are_returned_in_order(provider: UnderTest):
    result = await run(provider.adapter, provider.edit(RED, target=provider.spec.samples, samples=3))

    assert_made(result, provider)
    assert len({image.content for image in result.images}) == 3


@each(spec for spec in APIS if spec.callbacks)
async def test_the_callback_url_is_sent_unchanged(provider: UnderTest):
    with Receiver() as receiver:
        url = f"{receiver.url}?token=a%2Fb&job=1"
        await provider.adapter.submit(provider.edit(callback_url=url))
        receiver.wait(1)

    assert provider.task.callback == url


@each(POLLED)
async def test_the_providers_clock_may_differ(provider: UnderTest):
    for ahead in (3600, -3600):
        provider.emulator.ahead = ahead

        result = await run(provider.adapter, provider.edit(RED))

        assert result.images[0].content == provider.emulator.tasks[-1].pictures[0].content


@each(SPECS)
async def test_a_result_that_is_not_an_image_is_returned_unchanged(provider: UnderTest):
    provider.script.next_submit = [Fault.NOT_AN_IMAGE]

    result = await run(provider.adapter, provider.edit())

    assert result.images[0].content == NOT_AN_IMAGE


@each(IMMEDIATE)
async def test_an_immediate_result_that_was_not_stored_cannot_be_requested_again(provider: UnderTest):
    request = provider.edit()
    submitted = await provider.adapter.submit(request)

    error = await failure(finish(provider.adapter, request, submitted))

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)
    assert "The portal stopped before" in error.message
    assert provider.count(Step.SUBMIT) == 1
