"""A real nginx with docs/proxy/nginx.conf in front of a portal."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.e2e.portal import ROOT, Portal
from tests.patience import PATIENCE, wait_until

SAMPLE = ROOT / "docs" / "proxy" / "nginx.conf"
# The rest of nginx's configuration, as a distribution has it; `user` counts only for root.
AROUND = """
user root;
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {limits}
    include {folder}/sample.conf;
}}
"""


def free_port() -> int:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def nginx(
    portal: Portal, folder: Path, *, port: int, certificate: Path, limits: str = "", **changes: str
) -> Iterator[str]:
    """Run it at https://localhost:port, and return that.

    certificate  a file with a key too
    limits       nginx's own defaults to change, such as an idle limit
    changes      directives of the sample by their names, as they are here instead; "" for none
    """
    folder.mkdir()
    (folder / "sample.conf").write_text(_adapted(portal, port, certificate, changes))
    configuration = folder / "nginx.conf"
    configuration.write_text(AROUND.format(folder=folder, limits=limits))
    process = subprocess.Popen([_program(), "-p", folder, "-c", configuration], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(port), otherwise=lambda: (folder / "error.log").read_text())
        yield f"https://localhost:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _adapted(portal: Portal, port: int, certificate: Path, changes: dict[str, str]) -> str:
    """The sample with what it asks its reader to replace, and ports that need no root."""
    text = SAMPLE.read_text()
    own = {
        "images.example.com;": "localhost;",
        "127.0.0.1:8000": f"127.0.0.1:{portal.port}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "/etc/ssl/images.example.com/fullchain.pem": str(certificate),
        "/etc/ssl/images.example.com/privkey.pem": str(certificate),
    }
    for old, new in own.items():
        assert old in text, old
        text = text.replace(old, new)
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
    for name, new in changes.items():
        text, count = re.subn(rf"^ *{name} .*\n", f"{new}\n", text, flags=re.MULTILINE)
        assert count == 1, name
    return text


def _program() -> str:
    program = os.environ.get("PORTAL_NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "no nginx: `make test` brings one, or set PORTAL_NGINX"
    return program


def _listens(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
