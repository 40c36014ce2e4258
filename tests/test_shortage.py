"""Which errors mean that the machine lacks a resource, also when wrapped."""

from __future__ import annotations

import errno
import itertools

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey

from editor.errors import InvalidInput
from editor.net import resolver
from editor.providers.base import ErrorKind
from editor.providers.failures import failure, not_sent, temporary
from editor.shortage import LONGEST_PAUSE, PAUSE, Shortage, is_shortage, pauses
from tests.scarce import no_descriptors

NUMBERS = ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ENOSPC", "EDQUOT"]


def lack(name: str = "EMFILE") -> OSError:
    number = getattr(errno, name)
    return OSError(number, name)


def raised_from(error: Exception, cause: BaseException | None) -> Exception:
    try:
        raise error from cause
    except type(error) as raised:
        return raised


@pytest.mark.parametrize("name", NUMBERS)
def test_shortages_of_the_system_are_recognized(name: str) -> None:
    assert is_shortage(lack(name))


@pytest.mark.parametrize("name", ["ECONNREFUSED", "ENOENT", "EACCES", "ETIMEDOUT", "EPIPE"])
def test_other_system_errors_are_not_shortages(name: str) -> None:
    assert not is_shortage(lack(name))


def test_shortages_in_other_errors_are_recognized() -> None:
    assert is_shortage(MemoryError())
    assert is_shortage(RuntimeError("can't start new thread"))
    assert is_shortage(Shortage("later"))
    assert is_shortage(not_sent())
    assert not is_shortage(RuntimeError("no running event loop"))
    assert not is_shortage(temporary())


def test_shortages_wrapped_by_libraries_are_recognized() -> None:
    key = ConnectionKey("host", 443, True, True, None, None, None)
    connecting = aiohttp.ClientConnectorError(key, lack())
    assert is_shortage(connecting)
    assert is_shortage(raised_from(httpx.ConnectError("no"), connecting))
    assert is_shortage(
        raised_from(OSError("all attempts failed"), ExceptionGroup("", [lack(), ValueError()]))
    )
    assert not is_shortage(raised_from(httpx.ConnectError("no"), ConnectionRefusedError()))


def test_a_shortage_in_the_context_of_another_error_is_recognized() -> None:
    try:
        try:
            raise lack()
        except OSError:
            raise ValueError("could not be read")  # noqa: B904
    except ValueError as error:
        assert is_shortage(error)
    try:
        try:
            raise lack()
        except OSError:
            raise ValueError("has nothing to do with it") from None
    except ValueError as error:
        assert not is_shortage(error)


def test_an_error_with_its_own_message_is_not_a_shortage() -> None:
    assert not is_shortage(raised_from(InvalidInput("no"), lack()))
    assert not is_shortage(raised_from(failure(ErrorKind.UNKNOWN_OUTCOME), lack()))


async def test_a_failed_name_lookup_without_descriptors_is_a_shortage() -> None:
    """The system then reports that there is no such name."""
    for look_up in (resolver.for_people, resolver.for_providers):
        with no_descriptors(), pytest.raises(OSError) as resolving:
            await resolver.addresses("images.example.test", look_up=look_up)
        assert is_shortage(resolving.value)


def test_pauses_grow_to_a_maximum_and_never_end() -> None:
    first = list(itertools.islice(pauses(), 10))
    assert first[:3] == [PAUSE, 2 * PAUSE, 4 * PAUSE]
    assert first[-1] == LONGEST_PAUSE
