"""Provider keys do not leak: run edits that succeed or fail, then search for the planted keys."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from starlette.responses import Response

from editor.access.actor import Actor
from editor.engine import poll_schedule, polling, requests, submission
from editor.errors import InvalidInput
from editor.models import Job, ProviderKey, User
from editor.operations import jobs, provider_keys
from editor.operations.jobs import NewEdit
from editor.providers import http, registry
from tests.emulators.base import Emulator
from tests.emulators.faults import Fault, Step
from tests.emulators.registry import EMULATORS
from tests.emulators.wiro import Wiro
from tests.engine import emulator_stack
from tests.engine.emulator_stack import MODELS, PROMPT, reach, run, submit_alone
from tests.factories import make_actor, make_provider_key
from tests.web.requests import signed_in

pytestmark = pytest.mark.usefixtures("committed")

PLANTED = "pLaNtEd"  # part of each key and secret, so that fragments are found too
KEYS = {name: f"{PLANTED}-key-of-{name}" for name in EMULATORS} | {
    "bfl": f"bfl_{PLANTED}0123456789",
    "fal": f"{PLANTED}-id:{PLANTED}-secret",
}
SECRET = f"{PLANTED}-secret-of-wiro"
FROM_ENVIRONMENT, FROM_ROWS = ("bfl", "wiro", "openai"), ("fal", "kie", "google")
QUIET_LOGGERS = ("procrastinate", "httpx", "django.server")


@pytest.fixture
def emulators(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Emulator]]:
    """Emulators that repeat the key in the message of each refusal."""
    with emulator_stack.running(keys=KEYS) as emulators:
        for emulator in emulators.values():
            if isinstance(emulator, Wiro):
                emulator.secret = SECRET
            monkeypatch.setattr(emulator, "refusal", leaking_refusal(emulator))
        reach(settings, emulators, keyed=())
        yield emulators


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in QUIET_LOGGERS:
        caplog.set_level(logging.DEBUG, logger=name)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submission, "FAILED_PAUSES", (0.05, 0.05))
    monkeypatch.setattr(poll_schedule, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(polling, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(http, "DOWNLOAD_PAUSES", (0.05, 0.05))


def leaking_refusal(emulator: Emulator) -> Any:
    """The emulator's refusals, with the key and the secret in their messages."""
    plain = emulator.refusal
    secret = f" and {SECRET}" if isinstance(emulator, Wiro) else ""
    message = f" The key was {emulator.key}{secret}."

    def refusal(fault: Fault) -> Response:
        response = plain(fault)
        body = with_message(json.loads(bytes(response.body)), message)
        return Response(json.dumps(body), response.status_code, media_type="application/json")

    return refusal


def with_message(value: Any, message: str) -> Any:
    """A provider's response with `message` appended to each message in it."""
    if isinstance(value, list):
        return [with_message(each, message) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: each + message
        if name in ("detail", "message", "msg") and isinstance(each, str)
        else with_message(each, message)
        for name, each in value.items()
    }


def assert_nothing_leaked(caplog: pytest.LogCaptureFixture, *, searched: Mapping[str, str]) -> None:
    """The planted text is neither in the logs nor in any table nor in `searched`."""
    tables = contents_of_tables()
    assert "Acme Studio" in tables["editor_workspace"], "the search finds what is there"
    assert "POST" in caplog.text
    for place, text in {"the logs": caplog.text, **tables, **searched}.items():
        lines = [line for line in text.splitlines() if PLANTED in line or PLANTED.encode().hex() in line]
        assert lines == [], place


def contents_of_tables() -> dict[str, str]:
    """All rows as text, by table; binary columns as hexadecimal digits."""
    with connection.cursor() as cursor:
        contents = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT "{table}"::text FROM "{table}"')
            contents[table] = "\n".join(row[0] for row in cursor.fetchall())
    return contents


def api_output(many: list[Job]) -> str:
    """What an API client can read about the edits."""
    return "\n".join(f"{job.error_code} {job.error} {list(job.events.values())}" for job in many)


def edits_on_all_keys(settings: Settings, emulators: Mapping[str, Emulator]) -> list[Job]:
    """At each provider, one edit on the workspace's key and one on the portal's, from settings or a row."""
    actor = make_actor()
    for name in emulators:
        secret = SECRET if name == "wiro" else ""
        make_provider_key(workspace=actor.workspace, provider=name, key=KEYS[name], secret=secret)
    many = [
        jobs.submit(actor=actor, request=NewEdit(prompt=PROMPT, model=MODELS[name], provider=name))
        for name in emulators
    ]
    many += [submit_alone(settings, emulators, name)[1] for name in emulators]
    reach(settings, emulators, keyed=FROM_ENVIRONMENT)
    for name in FROM_ROWS:
        make_provider_key(workspace=None, provider=name, key=KEYS[name])
    return many


@pytest.mark.parametrize(
    ("step", "fault", "times", "failed"),
    [
        (Step.SUBMIT, None, 0, 0),
        (Step.SUBMIT, Fault.WRONG_KEY, 2, 12),
        (Step.SUBMIT, Fault.OUT_OF_FUNDS, 2, 12),
        (Step.SUBMIT, Fault.SERVER_ERROR, 6, 12),
        (Step.SUBMIT, Fault.CUT, 2, 12),
        (Step.POLL, Fault.SERVER_ERROR, 2, 0),
        (Step.DOWNLOAD, Fault.CUT, 6, 0),
    ],
)
def test_an_edit_leaks_no_key(
    emulators: dict[str, Emulator],
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    step: Step,
    fault: Fault | None,
    times: int,
    failed: int,
) -> None:
    for emulator in emulators.values():
        emulator.script.coming(step).extend([fault] * times)
    many = edits_on_all_keys(settings, emulators)
    run(*many)
    assert sum(job.status == "failed" for job in many) == failed
    assert_nothing_leaked(caplog, searched={"the API": api_output(many)})


def test_a_fallback_route_leaks_no_key(
    emulators: dict[str, Emulator], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    emulators["bfl"].script.always[Step.SUBMIT] = Fault.SERVER_ERROR
    reach(settings, emulators, keyed=["bfl", "wiro"])
    job = jobs.submit(actor=make_actor(), request=NewEdit(prompt=PROMPT, model=MODELS["bfl"]))
    run(job)
    assert (job.status, job.tried_providers) == ("completed", ["bfl"])
    assert job.events.filter(note__contains="The key was …").exists()
    assert_nothing_leaked(caplog, searched={"the API": api_output([job])})


def test_testing_a_key_does_not_leak_it(
    emulators: dict[str, Emulator], caplog: pytest.LogCaptureFixture
) -> None:
    """A test that succeeds, one that the provider fails on, and one that it refuses."""
    actor = make_actor()
    reported = ""
    for name in emulators:
        secret = SECRET if name == "wiro" else ""
        stored = save(actor, name, KEYS[name], secret)
        assert stored.checked_at is not None
        reported += f"{stored} {stored!r} {stored.note}"
    emulators["fal"].script.next_upload = [Fault.SERVER_ERROR]
    failed = save(actor, "fal", KEYS["fal"], "")
    assert "The key was …" in failed.note
    with pytest.raises(InvalidInput) as refused:
        save(actor, "openai", f"{PLANTED}-but-wrong", "")
    reported += f"{refused.value} {refused.value!r} {refused.value.fields}"
    assert_nothing_leaked(caplog, searched={"what a person is told": reported})


def save(actor: Actor, provider: str, key: str, secret: str) -> ProviderKey:
    async def save_and_close() -> ProviderKey:
        try:
            return await provider_keys.save_and_test(actor=actor, provider=provider, key=key, secret=secret)
        finally:
            await http.close()

    return async_to_sync(save_and_close)()


def test_pages_show_no_key(
    emulators: dict[str, Emulator], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    for emulator in emulators.values():
        emulator.script.always[Step.SUBMIT] = Fault.SERVER_ERROR
    many = edits_on_all_keys(settings, emulators)
    run(*many)
    operator = User.objects.create_superuser("operator@example.test", "correct horse battery")
    pages = Pages(operator)
    for model in admin.site._registry:
        pages.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    for key in ProviderKey.objects.all():
        pages.get(reverse("admin:editor_providerkey_change", args=[key.pk]))
    member = Pages(many[0].workspace.members.get())
    member.get(f"/w/{many[0].workspace.slug}/")
    member.get(f"/w/{many[0].workspace.slug}/settings/providers/")
    assert "···" in member.seen
    assert_nothing_leaked(caplog, searched={"the admin": pages.seen, "the portal": member.seen})


class Pages:
    """The pages that a user sees."""

    def __init__(self, user: User) -> None:
        self._client: Client = signed_in(user)
        self.seen = ""

    def get(self, path: str) -> None:
        answer = self._client.get(path)
        assert answer.status_code == 200, path
        self.seen += answer.content.decode()


def test_objects_that_carry_a_key_do_not_show_it(emulators: dict[str, Emulator], settings: Settings) -> None:
    for job in edits_on_all_keys(settings, emulators):
        request, provider = requests.build(job), registry.get(job.provider)
        assert request.account.key == KEYS[job.provider]
        shown = f"{request!r} {request.account!r} {request.account} {provider!r} {vars(provider)!r}"
        assert PLANTED not in shown
