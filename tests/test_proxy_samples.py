"""docs/proxy/: every sample allows what the portal needs. tests/e2e/test_proxy.py runs the one for nginx."""

from __future__ import annotations

import re
from typing import Any

import yaml
from django.conf import settings

from editor.api.profile import PROFILE as API
from editor.callbacks import middleware as callbacks
from editor.compat.bfl.profile import PROFILE as BFL
from editor.compat.openai.profile import PROFILE as OPENAI
from editor.compat.wiro.profile import PROFILE as WIRO
from editor.mcp.profile import PROFILE as MCP
from editor.media.limits import MAX_BYTES
from editor.web import gateway

SAMPLES = settings.BASE_DIR / "docs" / "proxy"
LARGEST = max(
    *(profile.body_limit for profile in (API, BFL, OPENAI, WIRO, MCP)),
    *(gateway.FILES_LIMIT, MAX_BYTES, callbacks.LIMIT),
)
MIB = 1024 * 1024
IDLE_SECONDS = 5  # until the portal closes a connection: uvicorn's timeout_keep_alive


def number(pattern: str, name: str) -> int:
    [found] = re.findall(pattern, (SAMPLES / name).read_text())
    return int(found)


def table(name: str) -> Any:
    return yaml.safe_load((SAMPLES / name).read_text())


def test_nginx_takes_the_largest_body_and_waits_for_held_calls() -> None:
    assert number(r"client_max_body_size (\d+)m;", "nginx.conf") * MIB > LARGEST
    assert number(r"proxy_read_timeout (\d+)s;", "nginx.conf") > settings.HOLD_SECONDS
    assert "keepalive" not in (SAMPLES / "nginx.conf").read_text()


def test_caddy_does_and_forgets_idle_connections_in_time() -> None:
    assert number(r"max_size (\d+)MiB", "Caddyfile") * MIB > LARGEST
    assert number(r"response_header_timeout (\d+)s", "Caddyfile") > settings.HOLD_SECONDS
    assert number(r"keepalive (\d+)s", "Caddyfile") < IDLE_SECONDS


def test_traefik_does_too_and_limits_no_upload_in_time() -> None:
    static, dynamic = table("traefik.yml"), table("traefik-atelier.yml")
    [(name, router)] = dynamic["http"]["routers"].items()
    service = dynamic["http"]["services"][router["service"]]["loadBalancer"]
    waits = dynamic["http"]["serversTransports"][service["serversTransport"]]["forwardingTimeouts"]
    assert int(waits["responseHeaderTimeout"].rstrip("s")) > settings.HOLD_SECONDS
    assert int(waits["idleConnTimeout"].rstrip("s")) < IDLE_SECONDS
    [entry] = router["entryPoints"]
    assert static["entryPoints"][entry]["transport"]["respondingTimeouts"]["readTimeout"] == "0s"
    assert router["tls"]["certResolver"] in static["certificatesResolvers"]
    assert static["providers"]["file"]["filename"].endswith(f"/{name}.yml")
