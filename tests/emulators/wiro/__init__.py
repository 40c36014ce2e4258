"""Wiro."""

from tests.emulators.wiro.app import Wiro

__all__ = ["Wiro"]
