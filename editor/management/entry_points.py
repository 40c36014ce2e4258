"""Every way into the portal, with the permission that it names: routes, API calls, MCP tools, sockets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from django.urls import URLPattern, URLResolver, get_resolver
from ninja import NinjaAPI

from editor import events
from editor.access import scopes
from editor.access.permissions import Permission
from editor.api.api import api
from editor.api.authentication import Needs
from editor.api.profile import PATH
from editor.api.put import PATH as UPLOADS
from editor.mcp.tools.registry import TOOLS
from editor.web.decorators import Needed
from imageeditor import routing

Kind = Literal["page", "call", "tool", "message"]

# Paths that need no permission, and why. One that ends with / stands for all paths below it, too.
PUBLIC = {
    "": "The home page: redirects to sign-in, or to the first workspace of the user.",
    "welcome/": "Creates the first account, as long as there is none.",
    "theme/": "Sets a cookie.",
    "healthz": "For load balancers: says nothing but “ok”.",
    "readyz": "For load balancers: what is failing, without details.",
    "accounts/": "A person's own account, which belongs to no workspace: signed in, or about to be.",
    "admin/": "The operator's. Django's admin requires an active account with `is_staff`.",
    "operator/": "The operator's: active superusers, with a second factor where it is demanded. Others: 404.",
    "notices/": "A person's own notices, of workspaces that they are a member of.",
    "workspaces/": "A person's own workspaces, to create or restore one.",
    "invitations/": "A signed link for one address, made by somebody with `members:manage`.",
    "files/": "A signed link to one image, made for a page.",
    "i/": "A signed link to one image, made for a program.",
    "results/": "A signed link to one image for some minutes, as BFL's clients expect.",
    "s/": "A share link: somebody with `images:share` made it public.",
    "callbacks/": "A signed link that only a provider has. It proves nothing and makes the portal poll.",
    f"{PATH.strip('/')}/openapi.json": "The document of the public API.",
    UPLOADS.strip("/") + "/": "An upload link, signed for one file of somebody who may edit images.",
    "ws/v1": "Wiro's socket: a signed token for each task, as long as the key that started it works.",
    "v1": "The same socket, at the path of Wiro's own.",
}


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """One way in.

    name       a path, a tool, or a socket with its message
    needs      of a page
    scope      of an API call or a tool; its permission is in scopes.PERMISSIONS
    permission of a socket's message
    pattern    of a page or a call whose path Django knows
    methods    of a call of the public API
    """

    kind: Kind
    name: str
    needs: Needed | None = None
    scope: str = ""
    permission: Permission | None = None
    pattern: URLPattern | None = None
    methods: tuple[str, ...] = ()

    @property
    def is_named(self) -> bool:
        """Whether it names a permission that exists."""
        return self.needs is not None or self.permission is not None or self.scope in scopes.PERMISSIONS


def all_of_them() -> list[EntryPoint]:
    """All ways in that are not PUBLIC."""
    return [*_routes(get_resolver().url_patterns, ""), *_tools(), *_messages()]


def problems() -> list[str]:
    """What is wrong: ways in without a permission, and reasons for paths that do not exist."""
    unnamed = [
        f"{one.kind} {one.name} names no permission: use `member` or a scope, or list it in PUBLIC."
        for one in all_of_them()
        if not one.is_named
    ]
    others = (UPLOADS.strip("/") + "/", *(path.strip("/") for path in routing.PROGRAMS))
    paths = {*_paths(get_resolver().url_patterns, ""), *others}
    return unnamed + [
        f"PUBLIC lists {path!r}, and there is no such path."
        for path in PUBLIC
        if not any(known == path or (path.endswith("/") and known.startswith(path)) for known in paths)
    ]


def _is_public(path: str) -> bool:
    return path in PUBLIC or any(path.startswith(root) for root in PUBLIC if root.endswith("/"))


def _routes(patterns: Sequence[URLPattern | URLResolver], before: str) -> Iterator[EntryPoint]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if path and _is_public(path):
            continue
        if isinstance(pattern, URLResolver):
            if pattern.app_name == "ninja":
                yield from _calls(api, pattern, path)
            else:
                yield from _routes(pattern.url_patterns, path)
        elif path or pattern.name != "home":
            view: Any = pattern.callback
            needs, scope = getattr(view, "permissions", None), getattr(view, "scope", "")
            kind: Kind = "call" if scope else "page"
            yield EntryPoint(kind, f"/{path}", needs=needs, scope=scope, pattern=pattern)


def _calls(api: NinjaAPI, resolver: URLResolver, before: str) -> Iterator[EntryPoint]:
    """The public API's calls. Ninja has one pattern for all methods of a path."""
    patterns = {_plain(str(one.pattern)): one for one in resolver.url_patterns if isinstance(one, URLPattern)}
    for prefix, router in api._routers:
        for path, place in router.path_operations.items():
            for operation in place.operations:
                (needs,) = operation.auth_callbacks or (None,)
                where = f"{prefix}{path}".strip("/")
                yield EntryPoint(
                    "call",
                    f"/{before}{where}",
                    scope=needs.scope if isinstance(needs, Needs) else "",
                    pattern=patterns[_plain(where)],
                    methods=tuple(operation.methods),
                )


def _plain(path: str) -> str:
    """Ninja writes {job_id} where Django has <job_id>."""
    return path.replace("{", "<").replace("}", ">").strip("/")


def _tools() -> Iterator[EntryPoint]:
    for tool in TOOLS.values():
        yield EntryPoint("tool", tool.name, scope=tool.scope)


def _messages() -> Iterator[EntryPoint]:
    """What the sockets of pages send: a snapshot at first, then a message for each event."""
    for route in routing.urlpatterns:
        consumer = route.callback.consumer_class
        if consumer is routing.Nothing:
            continue
        permission = getattr(consumer, "permission", None)
        path = f"/{route.pattern}"
        yield EntryPoint("message", f"{path} snapshot", permission=permission)
        for event in get_args(events.Event):
            if handler := getattr(consumer, event.type.replace(".", "_"), None):
                own = getattr(handler, "permission", permission)
                yield EntryPoint("message", f"{path} {event.type}", permission=own)


def _paths(patterns: Sequence[URLPattern | URLResolver], before: str) -> Iterator[str]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        yield path
        if isinstance(pattern, URLResolver):
            yield from _paths(pattern.url_patterns, path)
