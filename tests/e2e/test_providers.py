"""Edits through the Studio's forms on a workspace's own keys, at emulators of all six providers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.client import Client
from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.studio import Studio
from tests.emulators.base import Emulator
from tests.emulators.bfl import Bfl
from tests.emulators.fal import Fal
from tests.emulators.faults import Fault, Step
from tests.emulators.google import Google
from tests.emulators.kie import Kie
from tests.emulators.openai import OpenAi
from tests.emulators.wiro import Wiro
from tests.patience import wait_until

EMULATORS: dict[str, type[Emulator]] = {
    "bfl": Bfl,
    "wiro": Wiro,
    "openai": OpenAi,
    "google": Google,
    "fal": Fal,
    "kie": Kie,
}
KONTEXT, FLUX_2 = "black-forest-labs/flux-kontext-pro", "black-forest-labs/flux-2-pro"
FLARE, GEMINI = "openai/gpt-image-2.6-flare", "google/gemini-3-pro-image"
# By provider: the model for a prompt alone and for one image, and the one for several.
MODELS = {
    "bfl": (KONTEXT, FLUX_2),
    "wiro": (KONTEXT, FLUX_2),
    "openai": (FLARE, FLARE),
    "google": (GEMINI, GEMINI),
    "fal": (KONTEXT, FLUX_2),
    "kie": (KONTEXT, FLUX_2),
}
MASKED = {"bfl": "black-forest-labs/flux-fill", "openai": FLARE}
CASES = [(provider, what) for provider in MODELS for what in ("prompt", "picture", "references")]
CASES += [(provider, "mask") for provider in MASKED]


@pytest.fixture(scope="module")
def emulators() -> Iterator[dict[str, Emulator]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(make()) for name, make in EMULATORS.items()}


@pytest.fixture(scope="module")
def portal(portals: Path, emulators: dict[str, Emulator]) -> Iterator[Portal]:
    """A portal without keys of its own that calls the emulators of all providers."""
    folder = portals / "providers"
    folder.mkdir()
    urls = {f"{name.upper()}_BASE_URL": emulator.url for name, emulator in emulators.items()}
    portal = Portal(folder, OUTBOUND_ALLOW="127.0.0.0/8", **urls)
    portal.start()
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    yield portal
    portal.remove()


@pytest.fixture(scope="module")
def client(portal: Portal, emulators: dict[str, Emulator]) -> Iterator[Client]:
    """The workspace's owner, with a saved key for each provider."""
    client = Client(portal, email="amara@example.test", slug="acme-studio")
    for name, emulator in emulators.items():
        secret = (emulator.secret or "") if isinstance(emulator, Wiro) else ""
        saved = client.post(f"/w/acme-studio/settings/providers/{name}/", key=emulator.key, secret=secret)
        assert saved.status_code == 302, saved.text
    page = client.http.get("/w/acme-studio/settings/providers/").text
    assert page.count("Connected") == len(emulators)
    assert not any(emulator.key in page for emulator in emulators.values())
    yield client
    client.http.close()


def png(colour: str, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (256, 256), colour).save(buffer, "PNG")
    return buffer.getvalue()


def upload(client: Client, colour: str) -> str:
    """Upload an image and return its id."""
    answer = client.send(
        "/w/acme-studio/upload/", files={"files": (f"{colour}.png", png(colour), "image/png")}
    )
    assert answer.status_code == 302, answer.text
    return answer.headers["location"].rstrip("/").rpartition("/")[2]


def ended(portal: Portal) -> tuple[str, str, str]:
    """Status, error and id of the newest job, once it has ended."""
    sql = "SELECT status, error, id::text FROM editor_job ORDER BY created_at DESC LIMIT 1"
    wait_until(
        lambda: portal.query(sql)[0][0] not in ("pending", "processing"), otherwise=lambda: portal.query(sql)
    )
    ((status, error, job_id),) = portal.query(sql)
    return status, error, job_id


def stored(portal: Portal, job_id: str) -> bytes:
    """The file of the job's only result."""
    ((name,),) = portal.query("SELECT storage_name FROM editor_image WHERE job_id = %s", job_id)
    return (portal.data / "media" / name).read_bytes()


@pytest.mark.parametrize(("provider", "what"), CASES)
def test_an_edit_stores_the_providers_image(
    portal: Portal, client: Client, emulators: dict[str, Emulator], provider: str, what: str
) -> None:
    emulator = emulators[provider]
    model = MASKED[provider] if what == "mask" else MODELS[provider][what == "references"]
    colours = {"prompt": [], "references": ["red", "green", "blue"]}.get(what, ["red"])
    files = {"mask": ("mask.png", png("white", "L"), "image/png")} if what == "mask" else {}
    done = len(emulator.tasks)
    images = [upload(client, colour) for colour in colours]
    answer = client.run(
        f"a quiet harbour, {what}", model=model, provider=provider, images=images, files=files
    )
    assert answer.status_code == 302, answer.text
    status, error, job_id = ended(portal)
    assert (status, error) == ("completed", "")
    assert len(emulator.tasks) == done + 1
    assert stored(portal, job_id) == emulator.tasks[-1].pictures[0].content
    assert portal.query("SELECT balance, held FROM editor_creditaccount") == [(100, 0)]


@pytest.mark.usefixtures("client")
def test_the_studio_offers_the_models_that_a_key_serves(portal: Portal, new_context: ContextMaker) -> None:
    studio = Studio(new_context(), portal).begin()
    page, run_on = studio.page, studio.page.get_by_label("Run on")
    expect(run_on).to_have_value("platform")
    expect(page.locator("#model-note")).to_contain_text("Runs on the built-in sandbox")
    expect(page.locator("#run-price")).to_have_text("· 4 credits")

    studio.prompt.fill("a quiet harbour")
    studio.view("Mask").check(force=True)
    page.get_by_role("application").press("Space")
    run_on.select_option("google")
    expect(page.locator("#run-price")).to_have_text("· 0 credits")
    expect(page.get_by_role("radio", name="Pro")).to_be_checked()
    expect(page.get_by_role("radio", name="Standard")).to_be_disabled()
    expect(page.locator("#model-note")).to_contain_text("Runs on Google with your own key · no mask support")
    expect(page.get_by_text("Gemini 3 Pro Image does not support masks.")).to_be_visible()
    studio.view("Image").check(force=True)
    expect(page.get_by_text("does not support masks.")).to_be_hidden()
    expect(studio.prompt).to_have_value("a quiet harbour")

    run_on.select_option("openai")
    expect(page.get_by_role("radio", name="Standard")).to_be_enabled()
    studio.view("Mask").check(force=True)
    expect(page.get_by_text("does not support masks.")).to_be_hidden()
    studio.edit("a quiet harbour", becomes="v2")
    newest = "SELECT provider, charged FROM editor_job ORDER BY created_at DESC LIMIT 1"
    assert portal.query(newest) == [("openai", 0)]
    assert portal.query("SELECT count(*) FROM editor_jobimage WHERE role = 'mask'")[0][0] >= 1, "it was kept"


@pytest.mark.parametrize("provider", EMULATORS)
def test_a_key_that_stops_working_is_reported_without_leaking_it(
    portal: Portal, client: Client, emulators: dict[str, Emulator], provider: str
) -> None:
    emulator = emulators[provider]
    emulator.script.always[Step.SUBMIT] = Fault.WRONG_KEY
    try:
        client.run("a quiet harbour", model=MODELS[provider][0], provider=provider)
        status, error, _ = ended(portal)
    finally:
        emulator.script.always.clear()
    assert (status, "did not accept the API key" in error) == ("failed", True), error
    assert emulator.key not in error
    assert emulator.key not in portal.log.read_text()
