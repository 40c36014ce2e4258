"""SIGKILL at each step of edits at all six providers: none is submitted twice, and the ledger is correct."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.portal import Portal
from tests.emulators.base import Emulator
from tests.emulators.bfl import Bfl
from tests.emulators.fal import Fal
from tests.emulators.faults import Fault
from tests.emulators.google import Google
from tests.emulators.kie import Kie
from tests.emulators.openai import OpenAi
from tests.emulators.wiro import Wiro
from tests.factories import photo
from tests.patience import wait_until

BALANCE = 1000
# By provider, a model whose first route is there. kie is no model's first route: it is used with an own key.
MODELS = {
    "bfl": "black-forest-labs/flux-kontext-pro",
    "wiro": "wiro/flux_kontext_dev_with_2_image",
    "fal": "black-forest-labs/flux-kontext-dev",
    "kie": "black-forest-labs/flux-kontext-pro",
    "openai": "openai/gpt-image-2.6-flare",
    "google": "google/gemini-3-pro-image",
}
ALL = tuple(MODELS)
IMMEDIATE = ("openai", "google")
POLLED = tuple(name for name in ALL if name not in IMMEDIATE)
COMPLETED, UNKNOWN = ("completed", ""), ("failed", "unknown_outcome")
Emulators = dict[str, Emulator]


@pytest.fixture(scope="module")
def emulators() -> Iterator[Emulators]:
    with ExitStack() as stack:
        made = (stack.enter_context(make()) for make in (Bfl, Wiro, Fal, Kie, OpenAi, Google))
        yield {emulator.name: emulator for emulator in made}


@pytest.fixture(scope="module")
def portal(portals: Path, emulators: Emulators) -> Iterator[Portal]:
    """A portal with keys of its own for all providers but kie."""
    folder = portals / "provider-crashes"
    folder.mkdir()
    environment = {f"{name.upper()}_BASE_URL": emulator.url for name, emulator in emulators.items()}
    environment |= {f"{name.upper()}_API_KEY": emulators[name].key for name in ALL if name != "kie"}
    wiro = emulators["wiro"]
    assert isinstance(wiro, Wiro)
    portal = Portal(folder, OUTBOUND_ALLOW="127.0.0.0/8", WIRO_API_SECRET=wiro.secret or "", **environment)
    portal.start()
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=BALANCE)
    yield portal
    portal.remove()


@pytest.fixture(scope="module")
def client(portal: Portal, emulators: Emulators) -> Iterator[Client]:
    client = Client(portal, email="amara@example.test", slug="acme-studio")
    saved = client.post("/w/acme-studio/settings/providers/kie/", key=emulators["kie"].key, secret="")
    assert saved.status_code == 302, saved.text
    yield client
    client.http.close()


@pytest.fixture
def picture(client: Client) -> str:
    """The id of an image to edit."""
    files = {"files": ("photo.png", photo(width=256, height=256), "image/png")}
    answer = client.send("/w/acme-studio/upload/", files=files)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"].rstrip("/").rpartition("/")[2]


def submit(client: Client, picture: str, providers: tuple[str, ...]) -> None:
    page = client.studio()
    for name in providers:
        keys_of = "kie" if name == "kie" else "platform"
        answer = client.run(
            "a quiet harbour", page=page, images=[picture], model=MODELS[name], provider=keys_of
        )
        assert answer.status_code == 302, answer.text


def restart(portal: Portal) -> None:
    """Start after a kill, as if the ten seconds had passed after which a dead worker's jobs are requeued."""
    portal.query(
        "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 minute' RETURNING id"
    )
    portal.start()


def newest(portal: Portal, column: str, providers: tuple[str, ...]) -> dict[str, object]:
    """A column of the latest edits, by provider."""
    sql = f"SELECT provider, {column} FROM editor_job ORDER BY created_at DESC LIMIT {len(providers)}"
    return dict(portal.query(sql))


def tasks(emulators: Emulators, providers: tuple[str, ...] = ALL) -> dict[str, int]:
    return {name: len(emulators[name].tasks) for name in providers}


def one_more(before: dict[str, int]) -> dict[str, int]:
    return {name: count + 1 for name, count in before.items()}


def assert_ends(
    portal: Portal, emulators: Emulators, before: dict[str, int], ends: dict[str, tuple[str, str]]
) -> None:
    """The edits end as given, after one submit each; the ledger equals the account and the credits spent."""
    names = tuple(ends)
    wait_until(lambda: not {"pending", "processing"} & set(newest(portal, "status", names).values()))
    codes = newest(portal, "error_code", names)
    assert {name: (status, codes[name]) for name, status in newest(portal, "status", names).items()} == ends
    assert tasks(emulators, names) == one_more(before)
    ((spent,),) = portal.query("SELECT sum(charged) FROM editor_job")
    sums = portal.query("SELECT sum(amount), sum(held_amount) FROM editor_ledgerentry")
    assert sums == portal.query("SELECT balance, held FROM editor_creditaccount") == [(BALANCE - spent, 0)]
    completed = portal.query("SELECT count(*) FROM editor_job WHERE status = 'completed'")
    assert portal.query("SELECT count(*) FROM editor_image WHERE kind = 'result'") == completed


def test_edits_survive_a_kill_before_the_submit(
    portal: Portal, client: Client, emulators: Emulators, picture: str
) -> None:
    before = tasks(emulators)
    portal.kill()
    portal.start("--no-worker")
    submit(client, picture, ALL)
    portal.kill()
    restart(portal)
    assert_ends(portal, emulators, before, dict.fromkeys(ALL, COMPLETED))


def test_a_kill_between_submit_and_response_leaves_an_unknown_outcome(
    portal: Portal, client: Client, emulators: Emulators, picture: str
) -> None:
    before = tasks(emulators)
    for emulator in emulators.values():
        emulator.script.next_submit = [Fault.HANG]
    submit(client, picture, ALL)
    wait_until(lambda: tasks(emulators) == one_more(before))
    portal.kill()
    # After this time, a submit without a response has an unknown outcome.
    portal.query(
        "UPDATE editor_job SET submitting_at = submitting_at - interval '1 minute' "
        "WHERE status = 'processing' RETURNING id"
    )
    restart(portal)
    assert_ends(portal, emulators, before, dict.fromkeys(ALL, UNKNOWN))


def test_edits_survive_a_kill_while_polling(
    portal: Portal, client: Client, emulators: Emulators, picture: str
) -> None:
    before = tasks(emulators, POLLED)
    with working_for_an_hour(emulators):
        submit(client, picture, POLLED)
        wait_until(lambda: all(newest(portal, "provider_task_id", POLLED).values()))
        wait_until(lambda: all(emulators[name].tasks[-1].polls for name in POLLED))
    portal.kill()
    for name in POLLED:
        emulators[name].tasks[-1].seconds = 0  # it is finished now
    assert set(newest(portal, "status", POLLED).values()) == {"processing"}
    restart(portal)
    assert_ends(portal, emulators, before, dict.fromkeys(POLLED, COMPLETED))


def test_edits_survive_a_kill_while_downloading(
    portal: Portal, client: Client, emulators: Emulators, picture: str
) -> None:
    before = tasks(emulators, POLLED)
    for name in POLLED:
        emulators[name].script.next_download = [Fault.HANG]
    submit(client, picture, POLLED)
    wait_until(lambda: tasks(emulators, POLLED) == one_more(before))
    wait_until(lambda: all(emulators[name].tasks[-1].downloads for name in POLLED))
    portal.kill()
    restart(portal)
    assert_ends(portal, emulators, before, dict.fromkeys(POLLED, COMPLETED))
    assert {emulators[name].tasks[-1].downloads for name in POLLED} == {2}


# Few enough at a time that each has a thread to wait in.
@pytest.mark.parametrize("names", [("bfl", "wiro", "openai"), ("fal", "kie", "google")])
def test_a_kill_before_settling_loses_only_immediate_results(
    portal: Portal, client: Client, emulators: Emulators, picture: str, names: tuple[str, ...]
) -> None:
    """The responses of OpenAI and Google are lost with the process and cannot be fetched again."""
    before = tasks(emulators, names)
    with portal.no_new_images():
        submit(client, picture, names)
        wait_until(lambda: portal.waiting() == len(names))
        portal.kill()
    assert set(newest(portal, "status", names).values()) == {"processing"}
    restart(portal)
    outcomes = {name: UNKNOWN if name in IMMEDIATE else COMPLETED for name in names}
    assert_ends(portal, emulators, before, outcomes)


@contextmanager
def working_for_an_hour(emulators: Emulators) -> Iterator[None]:
    """Tasks created within the block take an hour."""
    usual = {name: emulator.seconds for name, emulator in emulators.items()}
    for emulator in emulators.values():
        emulator.seconds = 3600
    try:
        yield
    finally:
        for name, emulator in emulators.items():
            emulator.seconds = usual[name]
