"""Attacks on a real portal by strangers, other tenants, and stalled clients.

The short ones run with `make test`, those in long/ with `make attacks`.
"""

from __future__ import annotations

from tests.e2e.conftest import common_portal, portal, portals
from tests.e2e.failures import pytest_configure, pytest_runtest_makereport, pytest_runtest_setup

__all__ = [
    "common_portal",
    "portal",
    "portals",
    "pytest_configure",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
]
