"""The catalogue's inputs become the provider's fields, and what is not supported is not sent."""

from __future__ import annotations

from editor.providers.base import ErrorKind
from tests.providers.calls import failure
from tests.providers.contract.spec import MASK, PROMPT, RED, Option, Refusal, UnderTest
from tests.providers.contract.specs import APIS, SPECS, each, each_with
from tests.providers.edits import is_final


@each_with("option", lambda spec: spec.options)
async def test_options_are_sent_as_the_models_fields(provider: UnderTest, option: Option):
    images = [RED] * option.images
    await provider.adapter.submit(provider.edit(*images, target=option.target, **option.inputs))

    assert provider.spec.fields(provider.task) == option.sent
    assert PROMPT in str(provider.task.request)


@each_with("refusal", lambda spec: spec.impossible)
async def test_options_that_would_be_ignored_or_refused_are_not_sent(provider: UnderTest, refusal: Refusal):
    error = await failure(provider.adapter.submit(provider.refused_edit(refusal)))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert refusal.message in error.message
    assert provider.emulator.calls == []


@each(spec for spec in APIS if not spec.takes_mask)
async def test_a_mask_is_never_ignored(provider: UnderTest):
    error = await failure(provider.adapter.submit(provider.edit(RED, mask=MASK)))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "not support masks" in error.message
    assert provider.emulator.calls == []


@each(SPECS)
async def test_an_unknown_model_leaves_the_edit_to_another_route(provider: UnderTest):
    error = await failure(provider.adapter.submit(provider.refused_edit(provider.spec.no_model)))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert provider.spec.no_model.message in error.message
    assert provider.emulator.tasks == []
