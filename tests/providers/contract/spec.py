"""What the contract must know of a provider, and a provider under test."""

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
# What people read of a refused submit, where it is in our own words.
REFUSALS = {
    Fault.WRONG_KEY: "did not accept the API key",
    Fault.OUT_OF_FUNDS: "no funds left",
    Fault.RATE_LIMITED: "is busy",
    Fault.RATE_LIMITED_RETRY_AFTER: "is busy",
    Fault.BAD_GATEWAY: "it is unknown",
}


class Option(NamedTuple):
    """Inputs of the catalogue, and the fields that they become in a request with so many pictures."""

    target: str
    inputs: Mapping[str, Any]
    sent: Mapping[str, Any]
    images: int = 0


class Refusal(NamedTuple):
    """An edit that is refused, and a part of what people read."""

    target: str
    message: str
    images: int = 0
    masked: bool = False
    inputs: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class ProviderSpec:
    """One provider, as the contract sees it.

    adapter       makes one; also the class that the registry has
    emulator      of the provider
    target        a model that edits words alone, one picture and several
    other_apis    a model for each other way in which a task is submitted or told of
    public_url    as in the documentation, and `label` for people
    limits        of `target`, see `Provider.limits`

    What a request looks like:

    path          where a submit of the prompt alone goes
    body          that request as the emulator decodes it, with SEED where there are seeds
    seeded        a seed is taken, and told with the result
    auth          name and value of the header that carries the key
    images        the contents of the pictures in a task's request, in order
    fields        what else is in it, but for the prompt: what the inputs became
    options       inputs, and the fields that they become
    impossible    edits that the adapter refuses without a request
    bad_input     an edit that only the provider can refuse, in its words
    no_model      a model that the provider, or the adapter, does not know
    takes_mask    `target` takes a mask
    samples       a model that makes several images of one picture at once
    callbacks     a submit may carry a URL to be told at

    Keys:

    key           that the emulator takes
    wrong_keys    that it does not
    check_url     what a check of the key asks for, after the base URL; `check_told`: what it tells
    check_step    the emulator's step for it, where faults can be set on it

    Failures:

    refusals      what people read of a refused submit, beside REFUSALS: of SERVER_ERROR, of the faults that
                  not every provider has, and where the provider is told better than by REFUSALS
    endings       the same of a task that fails
    busy_pause    seconds to wait that the adapter names when the provider names none

    After the submit:

    state         the names in `Submitted.state`
    uploaded      a picture that is uploaded before the submit; None where none is
    cancels       the provider can stop a task
    empty_fails   a task without an image has failed; else its result has none
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
    check_told: str = ""
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
        """A part of what people read of a refused submit."""
        return {**REFUSALS, **self.refusals}

    @property
    def pauses(self) -> Mapping[Fault, float | None]:
        """Seconds to wait that errors name."""
        return {Fault.RATE_LIMITED: self.busy_pause, Fault.RATE_LIMITED_RETRY_AFTER: RETRY_AFTER}

    @property
    def name(self) -> str:
        return self.adapter.name

    @property
    def immediate(self) -> bool:
        return self.adapter.immediate


@dataclass(frozen=True)
class UnderTest:
    """An adapter, and its provider's emulator, which runs."""

    spec: ProviderSpec
    adapter: Provider
    emulator: Emulator

    def edit(self, *images: bytes, target: str | None = None, **options: Any) -> EditRequest:
        """See `edits.edit`."""
        return edits.edit(self.emulator, target or self.spec.target, *images, **options)

    def refused_edit(self, refusal: Refusal) -> EditRequest:
        """The edit that is refused so."""
        mask = MASK if refusal.masked else None
        return self.edit(*[RED] * refusal.images, target=refusal.target, mask=mask, **refusal.inputs)

    def account(self, key: str | None = None) -> Account:
        """The emulator's account, or somebody's with another key."""
        return edits.account(self.emulator, key)

    @property
    def script(self) -> Script:
        """The faults to come."""
        return self.emulator.script

    @property
    def task(self) -> Task:
        """The only one that the provider took."""
        [task] = self.emulator.tasks
        return task

    def count(self, step: Step) -> int:
        """How often this was asked for."""
        return sum(call.step is step for call in self.emulator.calls)
