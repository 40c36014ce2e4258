"""The providers under contract, and decorators that run a test with them. Add a new one to SPECS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Any

import pytest

from tests.providers.bfl.spec import BFL
from tests.providers.contract.spec import ProviderSpec
from tests.providers.fal.spec import FAL
from tests.providers.google.spec import GOOGLE
from tests.providers.kie.spec import KIE
from tests.providers.openai.spec import OPENAI
from tests.providers.wiro.spec import WIRO

SPECS = (BFL, WIRO, OPENAI, GOOGLE, FAL, KIE)
POLLED = tuple(spec for spec in SPECS if not spec.immediate)
IMMEDIATE = tuple(spec for spec in SPECS if spec.immediate)
# A provider once for each way in which it accepts and reports a task.
APIS = tuple(replace(spec, target=target) for spec in SPECS for target in (spec.target, *spec.other_apis))
POLLED_APIS = tuple(spec for spec in APIS if not spec.immediate)


def each(specs: Iterable[ProviderSpec]) -> pytest.MarkDecorator:
    """Run the test with each of these as `provider`."""
    rows = [pytest.param(spec, id=_id(spec)) for spec in specs]
    return pytest.mark.parametrize("provider", rows, indirect=True)


def each_with(
    name: str, values: Callable[[ProviderSpec], Iterable[Any]], specs: Iterable[ProviderSpec] = SPECS
) -> pytest.MarkDecorator:
    """The same, with each of the values that the spec has for the argument of this name."""
    rows = [
        pytest.param(spec, value, id=f"{_id(spec)}-{value if isinstance(value, StrEnum | str) else number}")
        for spec in specs
        for number, value in enumerate(values(spec), start=1)
    ]
    return pytest.mark.parametrize(("provider", name), rows, indirect=["provider"])


def _id(spec: ProviderSpec) -> str:
    first = next(each for each in SPECS if each.name == spec.name)
    return spec.name if spec.target == first.target else f"{spec.name}-{spec.target}"
