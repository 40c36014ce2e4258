"""The server's response times for pages and fragments, measured by a client over loopback."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from urllib.parse import urlencode

import httpx

from bench import prompts, table
from bench.portal import HTMX, LARGE_TREE, OWNER, SLUG, run_inside
from bench.process import usage
from tests.e2e.client import Client
from tests.e2e.portal import Portal

WARM_UP = 3
REPETITIONS = 20
INTERACTION_BAR = 100  # milliseconds
GALLERY_BAR = 150
START = 20_000  # bytes

_HOME = f"/w/{SLUG}/"
_GALLERY = f"{_HOME}gallery/"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    bar    milliseconds
    htmx   requests a fragment
    start  only the first START bytes of the response are read, of a file that is streamed
    """

    what: str
    path: str
    bar: int
    status: int = 200
    method: str = "GET"
    data: dict[str, str] = field(default_factory=dict)
    htmx: bool = False
    start: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds from the request's first byte to the response's last, the number of queries, and bytes."""

    ask: Ask
    least: float
    middle: float
    most: float
    queries: int
    size: int


def studio_asks(portal: Portal) -> list[Ask]:
    small, large = a_version(portal, at_most=5), a_version(portal, at_least=LARGE_TREE)
    edit = {"prompt": "make it warmer", "tier": "standard", "images": small}

    def ask(what: str, path: str, *, status: int = 200, **options: object) -> Ask:
        return Ask(what, f"{_HOME}{path}", INTERACTION_BAR, status, **options)  # type: ignore[arg-type]

    return [
        ask("Studio, empty", ""),
        ask("Studio, a version of a few", f"v/{small}/"),
        ask("Studio, a version of 60", f"v/{large}/"),
        ask("Stage swap, a version of a few", f"v/{small}/", htmx=True),
        ask("Stage swap, a version of 60", f"v/{large}/", htmx=True),
        ask("Rail, 60 versions", f"rail/?at={large}", htmx=True),
        ask("Inputs of another quality", "inputs/?tier=pro", htmx=True),
        ask("Price", "quote/", method="POST", data=edit, htmx=True),
        ask("Run, refused", "run/", status=400, method="POST", data=edit | {"prompt": ""}, htmx=True),
        ask("Run, accepted", "run/", status=202, method="POST", data=edit, htmx=True),
        ask("Credits", "credits/"),
    ]


def gallery_asks(portal: Portal, client: Client) -> list[Ask]:
    """Requests to the gallery with each kind of filter, for frequent, rare and missing matches."""
    page = client.http.get(_GALLERY).text
    people = dict(portal.query("SELECT name, id::text FROM editor_user"))
    shown = portal.query(
        "SELECT id::text FROM editor_image WHERE kind = 'result' AND trashed_at IS NULL ORDER BY created_at"
    )
    oldest, newest = shown[100][0], shown[-100][0]

    def filtered(what: str, **query: str) -> Ask:
        return Ask(f"Gallery, {what}", f"{_GALLERY}?{urlencode(query)}", GALLERY_BAR)

    return [
        Ask("Gallery", _GALLERY, GALLERY_BAR),
        Ask("Gallery, older", _older(page), GALLERY_BAR, htmx=True),
        filtered("a common word", q=prompts.COMMON),
        filtered("a rare word", q=prompts.RARE),
        filtered("a rare word of long ago", q=prompts.BYGONE),
        filtered("a common word of long ago", q=prompts.SEASON),
        filtered("the first letter of a word", q=prompts.COMMON[0]),
        filtered("two common words", q=f"{prompts.COMMON} keep"),
        filtered("a common and a rare word", q=f"{prompts.COMMON} {prompts.RARE}"),
        filtered("no such word", q="xylophone"),
        filtered("a word with punctuation", q=prompts.FILM),
        filtered("a common number of such a word", q="400"),
        filtered("a word without its accent", q="naive"),
        filtered("an emoji", q=prompts.ROCKET),
        filtered("in mid-sentence, Japanese", q=prompts.JAPANESE[3:8]),
        filtered("a character, Japanese", q=prompts.JAPANESE[3]),
        filtered("in mid-sentence, Thai", q=prompts.THAI[13:21]),
        filtered("a style by name", q="gouache"),
        filtered("a busy person by name", q="amara"),
        filtered("a person seldom here by name", q="noor"),
        filtered("all models by name", q="flux"),
        filtered("a rare model by name", q="kontext pro"),
        filtered("a common word and a person by name", q=f"{prompts.COMMON} amara"),
        filtered("a common word and a person seldom here by name", q=f"{prompts.COMMON} noor"),
        filtered("a busy person", by=people["Jonas"]),
        filtered("a person seldom here", by=people["Noor"]),
        filtered("a common word of a person seldom here", by=people["Noor"], q=prompts.COMMON),
        filtered("a common model", model="black-forest-labs/flux-kontext-pro"),
        filtered("a rare model", model=_rarest_model(portal)),
        filtered("starred", starred="1"),
        filtered("starred, a common word", starred="1", q=prompts.COMMON),
        filtered("the last 7 days", since=_option(page, "since", "7 days")),
        filtered("failed", status="failed"),
        filtered("failed, a common word", status="failed", q=prompts.COMMON),
        Ask("Lightbox, new", f"{_GALLERY}{newest}/", GALLERY_BAR, htmx=True),
        Ask("Lightbox, old", f"{_GALLERY}{oldest}/", GALLERY_BAR, htmx=True),
        Ask("Lightbox, a common word", f"{_GALLERY}{oldest}/?q={prompts.COMMON}", GALLERY_BAR, htmx=True),
        Ask("Lightbox, as a page", f"{_GALLERY}{newest}/", GALLERY_BAR),
        Ask("Gallery, new tiles", f"{_GALLERY}new/?newest={newest}", GALLERY_BAR, htmx=True),
        Ask("Trash", f"{_HOME}trash/", GALLERY_BAR),
    ]


def measure(portal: Portal, client: Client, asks: list[Ask]) -> list[Timing]:
    """Each request REPETITIONS times, one after another, on one connection."""
    fields = ("method", "path", "data", "htmx")
    described = [{name: getattr(ask, name) for name in fields} for ask in asks]
    counted = run_inside(portal, "from bench.queries import main; main()", given=json.dumps(described))
    return [_time(client.http, ask, count) for ask, count in zip(asks, json.loads(counted), strict=True)]


def sign_in(portal: Portal) -> Client:
    return Client(portal, email=OWNER, slug=SLUG)


def _time(http: httpx.Client, ask: Ask, queries: int) -> Timing:
    headers = {"X-CSRFToken": http.cookies["csrftoken"]} | (HTMX if ask.htmx else {})
    taken = []
    for _ in range(WARM_UP + REPETITIONS):
        start = perf_counter()
        size = _send(http, ask, headers)
        taken.append((perf_counter() - start) * 1000)
    counted = taken[WARM_UP:]
    return Timing(ask, min(counted), median(counted), max(counted), queries, size)


def _send(http: httpx.Client, ask: Ask, headers: dict[str, str]) -> int:
    """Returns how many bytes were read."""
    with http.stream(ask.method, ask.path, data=ask.data or None, headers=headers) as answer:
        content = next(answer.iter_raw(START)) if ask.start else answer.read()
        assert answer.status_code == ask.status, f"{ask.what}: {answer.status_code}\n{content[:2000]!r}"
    return len(content)


def processor_time(portal: Portal, client: Client, ask: Ask) -> tuple[float, float]:
    """Milliseconds of processor time for one request: the portal's, and its database connections'.

    Unlike the time until the response, it says nothing about other programs on the machine.
    """
    assert portal.process
    headers = HTMX if ask.htmx else {}
    rows = portal.query("SELECT pid FROM pg_stat_activity WHERE datname IS NOT NULL")
    connections = [row[0] for row in rows]
    before = _database_cpu(connections), usage(portal.process.pid).cpu
    for _ in range(REPETITIONS):
        _send(client.http, ask, headers)
    after = _database_cpu(connections), usage(portal.process.pid).cpu
    database, own = (1000 * (late - early) / REPETITIONS for early, late in zip(before, after, strict=True))
    return own, database


def _database_cpu(pids: list[int]) -> float:
    """Seconds. One that has ended in the meantime, as that of the question itself, does not count."""
    seconds = 0.0
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError, KeyError):  # KeyError: ended, but not collected
            seconds += usage(pid).cpu
    return seconds


def show(title: str, portal: Portal, client: Client, asks: list[Ask]) -> None:
    """Measure the requests and print a table of their time and processor time."""
    timings = measure(portal, client, asks)
    spent = [processor_time(portal, client, ask) for ask in asks]
    table.show(
        f"{title}, milliseconds, and of processor time in the portal and in the database "
        f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)",
        ("request", "min", "median", "max", "bar", "portal", "database", "queries"),
        [
            (
                timing.ask.what,
                f"{timing.least:.0f}",
                f"{timing.middle:.0f}" + ("" if timing.middle < timing.ask.bar else " OVER"),
                f"{timing.most:.0f}",
                str(timing.ask.bar),
                f"{own:.0f}",
                f"{database:.0f}",
                str(timing.queries),
            )
            for timing, (own, database) in zip(timings, spent, strict=True)
        ],
    )


def a_version(portal: Portal, *, at_least: int = 3, at_most: int = 1000) -> str:
    """The newest version of the newest edit tree of that size."""
    [(version,)] = portal.query(
        "SELECT (array_agg(id ORDER BY version DESC) FILTER (WHERE trashed_at IS NULL))[1]::text "
        "FROM editor_image WHERE root_id IS NOT NULL GROUP BY root_id "
        "HAVING count(*) BETWEEN %s AND %s ORDER BY max(created_at) DESC LIMIT 1",
        at_least - 1,  # without the root itself
        at_most - 1,
    )
    return str(version)


def _rarest_model(portal: Portal) -> str:
    return str(portal.query("SELECT model FROM editor_job GROUP BY 1 ORDER BY count(*) LIMIT 1")[0][0])


def _older(page: str) -> str:
    """The URL of the link "Older"."""
    found = re.search(r'<a[^>]*href="([^"]+)"[^>]*>\s*Older', page)
    assert found, "the gallery has no link to older edits"
    return found[1].replace("&amp;", "&")


def _option(page: str, name: str, message: str) -> str:
    """The value of the option labelled `message` in the select `name`."""
    select = re.search(rf'<select[^>]*name="{name}".*?</select>', page, re.DOTALL)
    found = re.search(rf'<option value="([^"]*)"[^>]*>\s*[^<]*{message}', select[0] if select else "")
    assert found, f"the gallery's {name} does not offer {message}"
    return found[1]
