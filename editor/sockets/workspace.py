"""One socket per page: pushes changes in a workspace, rendered for the viewer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from editor import events
from editor.access import lookups, sessions
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.concurrency import threads
from editor.concurrency.threads import in_thread
from editor.contexts import approvals, jobs, notices
from editor.contexts.jobs import JobView
from editor.errors import (
    EditorError,
    NotAuthenticated,
    NotFound,
    SecondFactorRequired,
    WorkspaceDeleted,
    WorkspaceMoved,
)
from editor.operations import edit_notices
from editor.queries.approvals import count_waiting
from editor.redis import LIVE

# On this code the page reconnects with its current cookie and gets the current state.
SESSION_ENDED = 4401
NOT_A_MEMBER = 4403
NOT_A_MEMBER_MESSAGE = "You are no longer a member of this workspace."
SIGNED_OUT_MESSAGE = "You are signed out. Sign in again to continue."
MOST_OF_ONE_PERSON = 32  # sockets, in this process
TOO_MANY_MESSAGE = (
    "This page gets no live updates: too many pages of yours are open. Close some, then reload this page."
)
# A page that was away longer than this gets running edits, but not those that ended meanwhile.
REMEMBERED = timedelta(minutes=10)
# Seconds between polls while this process receives no events of others.
POLL_EVERY = 5.0

_open: Counter[UUID] = Counter()  # sockets, by user


class WorkspaceConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Only sends; ignores whatever a client sends.

    rights  those that the page was rendered for

    The session and the membership are checked before each push.

    permission  what all messages need
    """

    permission = Permission.VIEW

    joined: tuple[str, ...] = ()
    ended = False
    rights = ""
    polling: asyncio.Task[None] | None = None
    person: UUID | None = None  # the user for whom it is counted

    def __init__(self) -> None:
        super().__init__()
        self.reported: set[UUID] = set()  # edits whose end was sent to the page

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._uncount()

    async def connect(self) -> None:
        if not _same_origin(self.scope):
            await self.close(code=NOT_A_MEMBER)
            return
        if not self._count():
            await self.accept()
            await self._send_last("studio/_no_updates.html", TOO_MANY_MESSAGE)
            return
        try:
            actor = await self._actor()
            # All handlers run in this task, so its look-ups do not delay those of others.
            threads.tenant.set(str(actor.workspace.id))
            await self._join(actor)
            await self._actor()  # again: access may have ended before it joined
        except (NotAuthenticated, NotFound, SecondFactorRequired) as error:
            # Accept first: a page cannot see why a handshake was rejected, and would retry forever.
            await self.accept()
            await self._send_no_access(_why(error))
            return
        await self.accept()
        # Otherwise changes between the page's rendering and now would never be sent.
        self.since = max(_since(self.scope), timezone.now() - REMEMBERED)
        self.rights = _parameter(self.scope, "rights") or actor.rights
        if (lost_since := events.lost_since()) is not None:
            self._start_polling(lost_since)
        await self._catch_up(self.since)

    def _count(self) -> bool:
        """Whether the user can have another socket. Anonymous users are rejected later anyway."""
        person = self.scope["user"].pk
        if person is None:
            return True
        if _open[person] >= MOST_OF_ONE_PERSON:
            return False
        _open[person] += 1
        self.person = person
        threads.tenant.set(str(person))  # until the workspace is known
        return True

    def _uncount(self) -> None:
        if self.person is not None:
            _open[self.person] -= 1
            if not _open[self.person]:
                del _open[self.person]

    async def _join(self, actor: Actor) -> None:
        self.joined = (events.group_name(actor.workspace.id), events.person_group(actor.user.pk), LIVE)
        for group in self.joined:
            await self.channel_layer.group_add(group, self.channel_name)

    async def disconnect(self, code: int) -> None:
        self._stop_polling()
        for group in self.joined:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def access_changed(self, event: dict[str, Any]) -> None:
        await self._members_changed()

    async def live_lost(self, event: dict[str, Any]) -> None:
        self._start_polling(event["since"])
        await self._catch_up(self.missed_since)

    async def live_restored(self, event: dict[str, Any]) -> None:
        self._stop_polling()
        await self._catch_up(datetime.fromtimestamp(event["since"], tz=UTC))

    async def poll(self, event: dict[str, Any]) -> None:
        if self.polling:
            await self._catch_up(self.missed_since)

    async def job_changed(self, event: dict[str, Any]) -> None:
        await self._push(event["job_id"], ended=event["ended"])

    async def balance_changed(self, event: dict[str, Any]) -> None:
        await self._push(None)

    async def approval_changed(self, event: dict[str, Any]) -> None:
        """For those who may decide: how many wait, and on their page which."""
        actor = await self._current_actor()
        if actor and actor.may(Permission.APPROVE):
            await self.send(text_data=await in_thread(_render_approvals, actor, event["job_id"]))

    approval_changed.permission = Permission.APPROVE  # type: ignore[attr-defined]

    async def member_removed(self, event: dict[str, Any]) -> None:
        await self._members_changed()

    async def notices_changed(self, event: dict[str, Any]) -> None:
        if actor := await self._current_actor():
            context = await in_thread(notices.live, actor.user, new=event.get("notice_id"))
            await self.send(text_data=render_to_string("notices/_live.html", context))

    async def sessions_changed(self, event: dict[str, Any]) -> None:
        await self._current_actor()

    def _start_polling(self, since: float) -> None:
        self.missed_since = datetime.fromtimestamp(since, tz=UTC)
        if self.polling is None:
            self.polling = asyncio.create_task(self._poll_forever())

    def _stop_polling(self) -> None:
        if self.polling:
            self.polling.cancel()
            self.polling = None

    async def _poll_forever(self) -> None:
        while True:
            await asyncio.sleep(POLL_EVERY)
            await self.channel_layer.send(self.channel_name, {"type": "poll"})  # in order with other messages

    async def _catch_up(self, since: datetime) -> None:
        """Send running edits, and those that ended after `since` unless already sent."""
        if actor := await self._current_actor():
            since = max(since, self.since, timezone.now() - REMEMBERED)
            await self.send(text_data=await in_thread(self._render_snapshot, actor, since))

    async def _push(self, job_id: str | None, *, ended: bool = False) -> None:
        if actor := await self._current_actor():
            await self.send(text_data=await in_thread(self._render_change, actor, job_id, ended))

    async def _members_changed(self) -> None:
        """Let a page that lists the members fetch them again."""
        if actor := await self._current_actor():
            context = {"workspace": actor.workspace}
            await self.send(text_data=render_to_string("settings/_members_pull.html", context))

    async def _current_actor(self) -> Actor | None:
        """The viewer's current actor; None if the socket was closed, now or before.

        A page that was rendered for other rights is reloaded.
        """
        if self.ended:
            return None
        try:
            actor = await self._actor()
            if actor.rights != self.rights:
                self.rights = actor.rights
                context = {"workspace": actor.workspace}
                await self.send(text_data=render_to_string("studio/_rights.html", context))
            return actor
        except NotAuthenticated:
            await self._end(SESSION_ENDED)
        except (NotFound, SecondFactorRequired) as error:
            await self._send_no_access(_why(error))
        return None

    async def _send_no_access(self, message: str) -> None:
        """Send why the page can no longer be used, then close."""
        await self._send_last("studio/_gone.html", message)

    async def _send_last(self, template: str, message: str) -> None:
        """Send why the page should not reconnect, then close."""
        await self.send(text_data=render_to_string(template, {"message": message}))
        await self._end(NOT_A_MEMBER)

    async def _end(self, code: int) -> None:
        """Several events may end a socket, which must not be closed twice."""
        self.ended = True
        await self.close(code=code)

    async def _actor(self) -> Actor:
        """Raises NotAuthenticated and NotFound."""
        slug = self.scope["url_route"]["kwargs"]["slug"]
        return await in_thread(_viewer, self.scope["session"].session_key, slug)

    def _render_change(self, actor: Actor, job_id: str | None, ended: bool) -> str:
        context = jobs.live(actor.workspace, viewer=actor.user, job_id=job_id, ended=ended)
        if job_id and ended:
            self.reported.add(UUID(job_id))
            _see(actor, [context["job"]])
        return render_to_string("studio/_live.html", context)

    def _render_snapshot(self, actor: Actor, since: datetime) -> str:
        context = jobs.snapshot(actor.workspace, viewer=actor.user, since=since, reported=self.reported)
        self.reported.update(job.id for job in context["finished"])
        _see(actor, context["finished"])
        context["delayed"] = self.polling is not None
        page = render_to_string("studio/_snapshot.html", context)
        return page + _render_approvals(actor) if actor.may(Permission.APPROVE) else page


def _render_approvals(actor: Actor, job_id: str | None = None) -> str:
    """`job_id`: the edit about which something has just been decided."""
    context = {
        "workspace": actor.workspace,
        "waiting": count_waiting(actor.workspace),
        "news": approvals.news(actor, UUID(job_id)) if job_id else "",
    }
    return render_to_string("approvals/_changed.html", context)


def _see(actor: Actor, ended: Sequence[JobView | None]) -> None:
    """The page shows these ends, which need no notice."""
    own = [job.id for job in ended if job and job.mine]
    edit_notices.seen(user_id=actor.user.pk, job_ids=own)


def _viewer(session_key: str | None, slug: str) -> Actor:
    user = sessions.person(session_key)
    if user is None:
        raise NotAuthenticated(SIGNED_OUT_MESSAGE)
    try:
        actor = lookups.actor(user, slug)
    except WorkspaceMoved as moved:  # since the page was loaded
        actor = lookups.actor(user, moved.slug)
    actor.require(WorkspaceConsumer.permission)
    return actor


def _why(error: EditorError) -> str:
    """Why the page can no longer be used."""
    if isinstance(error, NotAuthenticated):
        return SIGNED_OUT_MESSAGE
    hides = isinstance(error, NotFound) and not isinstance(error, WorkspaceDeleted)
    return NOT_A_MEMBER_MESSAGE if hides else error.message


def _same_origin(scope: dict[str, Any]) -> bool:
    """Cookies ignore ports: pages of another port of this host must not connect."""
    headers = dict(scope["headers"])
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1")).netloc
    own = {headers.get(b"host", b"").decode("latin-1"), urlsplit(settings.BASE_URL).netloc}
    return bool(origin) and origin in own


def _since(scope: dict[str, Any]) -> datetime:
    """When the page was rendered: `?since=` in Unix seconds; now if missing."""
    try:
        return datetime.fromtimestamp(float(_parameter(scope, "since")), tz=UTC)
    except (ValueError, OverflowError, OSError):
        return timezone.now()


def _parameter(scope: dict[str, Any], name: str) -> str:
    """A parameter of the page's URL; empty if missing."""
    query: dict[str, list[str]] = parse_qs(scope.get("query_string", b"").decode("ascii", "ignore"))
    return query.get(name, [""])[0]
