"""Fixtures that the tests of this folder share; files with other needs define their own."""

from __future__ import annotations

import pytest
from django.test import Client

from editor.models import User, Workspace
from tests.factories import make_workspace
from tests.web.requests import signed_in


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def user(workspace: Workspace) -> User:
    return workspace.members.get()


@pytest.fixture
def client(user: User) -> Client:
    return signed_in(user)
