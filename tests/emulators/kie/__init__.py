"""kie.ai."""

from tests.emulators.kie.app import Kie

__all__ = ["Kie"]
