"""Black Forest Labs."""

from tests.emulators.bfl.app import Bfl

__all__ = ["Bfl"]
