"""What the contract must know about a provider, and a provider under test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from editor.providers.base import Account, EditRequest, Provider
from tests.emulators.base import Emulator
from tests.emulators.faults import RETRY_AFTER, Fault, Script, Step
from tests.emulators.records import Task
from tests.providers import edits
from tests.providers.edits import png

RED, GREEN, BLUE = png("red"), png("green"), png("blue")
MASK = png("white", mode="L")
PROMPT = "make the sky stormy"
SEED = 42
# Messages of a refused submit that are the portal's own.
REFUSALS = {
    Fault.WRONG_KEY: "did not accept the API key",
    Fault.OUT_OF_FUNDS: "no funds left",
    Fault.RATE_LIMITED: "is busy",
    Fault.RATE_LIMITED_RETRY_AFTER: "is busy",
    Fault.BAD_GATEWAY: "it is unknown",
}


class Option(NamedTuple):
    """Inputs of the catalogue, and the fields that they become in a request with this many images."""

    target: str
    inputs: Mapping[str, Any]
    sent: Mapping[str, Any]
    images: int = 0


class Refusal(NamedTuple):
    """An edit that is refused, and a part of the message."""

    target: str
    message: str
    images: int = 0
    masked: bool = False
    inputs: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class ProviderSpec:
    """What the contract knows about one provider.

    adapter       creates one; also the class in the registry
    emulator      of the provider
    target        a model that takes a prompt alone, one image and several
    other_apis    a model for each other way in which a task is submitted or reported
    public_url    as in the documentation; `label` is the display name
    limits        of `target`, see `Provider.limits`

    What a request looks like:

    path          where a submit of the prompt alone goes
    body          that request as the emulator decodes it, with SEED where there are seeds
    seeded        a seed is accepted, and returned with the result
    auth          name and value of the header that carries the key
    images        the contents of the images in a task's request, in order
    fields        what else is in it, except the prompt: what the inputs became
    options       inputs, and the fields that they become
    impossible    edits that the adapter refuses without a request
    bad_input     an edit that only the provider can refuse, with its own message
    no_model      a model that the provider, or the adapter, does not know
    takes_mask    `target` accepts a mask
    samples       a model that makes several results from one image at once
    callbacks     a submit may carry a callback URL

    Keys:

    key           accepted by the emulator
    wrong_keys    rejected by it
    check_url     what a check of the key requests, after the base URL; `check_message`: what it returns
    check_step    the emulator's step for it, if faults can be set on it

    Failures:

    refusals      messages of a refused submit, in addition to REFUSALS: for SERVER_ERROR, for the faults that
                  not every provider has, and those that override REFUSALS
    endings       the same for a failed task
    busy_pause    seconds to wait before a retry when the provider gives none

    After the submit:

    state         the names in `Submitted.state`
    uploaded      an image that is uploaded before the submit; None if none is
    cancels       the provider can stop a task
    empty_fails   a task without an image has failed; otherwise its result is empty
    shortened     pauses of the adapter, and their values in tests
    """

    adapter: type[Provider]
    emulator: type[Emulator]
    target: str
    other_apis: tuple[str, ...] = ()
    label: str
    public_url: str
    limits: Mapping[str, int] = field(default_factory=dict)

    path: str
    body: Mapping[str, Any]
    seeded: bool = False
    auth: tuple[str, str]
    images: Callable[[Task], list[bytes]]
    fields: Callable[[Task], Mapping[str, Any]]
    options: tuple[Option, ...]
    impossible: tuple[Refusal, ...] = ()
    bad_input: Refusal
    no_model: Refusal
    takes_mask: bool = False
    samples: str | None = None
    callbacks: bool = False

    key: str = "planted-key"
    wrong_keys: tuple[str, ...] = ("wrong-key", "")
    check_url: str
    check_message: str = ""
    check_step: Step | None = None

    refusals: Mapping[Fault, str]
    endings: Mapping[Fault, str]
    busy_pause: float | None = None

    state: tuple[str, ...] = ()
    uploaded: bytes | None = None
    cancels: bool = False
    empty_fails: bool = True
    shortened: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reported(self) -> Mapping[Fault, str]:
        """A part of the message of a refused submit, by fault."""
        return {**REFUSALS, **self.refusals}

    @property
    def pauses(self) -> Mapping[Fault, float | None]:
        """Seconds to wait before a retry, by fault."""
        return {Fault.RATE_LIMITED: self.busy_pause, Fault.RATE_LIMITED_RETRY_AFTER: RETRY_AFTER}

    @property
    def name(self) -> str:
        return self.adapter.name

    @property
    def immediate(self) -> bool:
        return self.adapter.immediate


@dataclass(frozen=True)
class UnderTest:
    """An adapter and its provider's running emulator."""

    spec: ProviderSpec
    adapter: Provider
    emulator: Emulator

    def edit(self, *images: bytes, target: str | None = None, **options: Any) -> EditRequest:
        """See `edits.edit`."""
        return edits.edit(self.emulator, target or self.spec.target, *images, **options)

    def refused_edit(self, refusal: Refusal) -> EditRequest:
        """The edit of this refusal."""
        mask = MASK if refusal.masked else None
        return self.edit(*[RED] * refusal.images, target=refusal.target, mask=mask, **refusal.inputs)

    def account(self, key: str | None = None) -> Account:
        """The emulator's account, or one with another key."""
        return edits.account(self.emulator, key)

    @property
    def script(self) -> Script:
        """The scripted faults."""
        return self.emulator.script

    @property
    def task(self) -> Task:
        """The only task that the provider accepted."""
        [task] = self.emulator.tasks
        return task

    def count(self, step: Step) -> int:
        """How many requests were made for this step."""
        return sum(call.step is step for call in self.emulator.calls)
