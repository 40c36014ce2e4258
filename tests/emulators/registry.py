"""All emulators by the names of their providers. A new one needs a folder and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from tests.emulators.base import Emulator
from tests.emulators.bfl import Bfl
from tests.emulators.fal import Fal
from tests.emulators.google import Google
from tests.emulators.kie import Kie
from tests.emulators.openai import OpenAi
from tests.emulators.wiro import Wiro

EMULATORS: Mapping[str, type[Emulator]] = {
    emulator.name: emulator for emulator in (Bfl, Wiro, OpenAi, Google, Fal, Kie)
}
