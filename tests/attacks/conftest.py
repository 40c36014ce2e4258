"""Attacks on a real portal: strangers, other tenants, and clients that stall.

The short ones run with `make test`, those in long/ by `make attacks`.
"""

from __future__ import annotations

from tests.e2e.conftest import common_portal, portal, portals

__all__ = ["common_portal", "portal", "portals"]
