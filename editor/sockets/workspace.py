"""One socket a page: it pushes what changes in a workspace, rendered for its own viewer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from editor import events
from editor.access import lookups
from editor.access.actor import Actor
from editor.contexts import jobs
from editor.db import in_thread
from editor.errors import NotFound

NOT_A_MEMBER = 4403
NOT_A_MEMBER_WORDS = "You are not a member of this workspace any more."
SIGNED_OUT_WORDS = "You are signed out. Sign in again to go on."
# A page that was away longer than this is told what runs now, not what ended meanwhile.
REMEMBERED = timedelta(minutes=10)


class WorkspaceConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Speaks only; whatever a client sends is ignored. Membership is looked up before each push."""

    group = ""

    async def connect(self) -> None:
        if not _same_origin(self.scope):
            await self.close(code=NOT_A_MEMBER)
            return
        try:
            actor = await self._actor()
        except NotFound:
            # Accepted first: a page learns nothing from a refusal, and would try again for ever.
            await self.accept()
            await self._send_away()
            return
        self.group = events.group_name(actor.workspace.id)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        # What changed between the page's rendering and this moment would otherwise never be told.
        since = max(_since(self.scope), timezone.now() - REMEMBERED)
        await self.send(text_data=await in_thread(self._render_snapshot, actor, since))

    async def disconnect(self, code: int) -> None:
        if self.group:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def job_changed(self, event: dict[str, Any]) -> None:
        await self._push(event["job_id"], ended=event["ended"])

    async def balance_changed(self, event: dict[str, Any]) -> None:
        await self._push(None)

    async def member_removed(self, event: dict[str, Any]) -> None:
        if event["user_id"] == str(self.scope["user"].pk):
            await self._send_away()

    async def _push(self, job_id: str | None, *, ended: bool = False) -> None:
        try:
            actor = await self._actor()
        except NotFound:
            await self._send_away()
            return
        await self.send(text_data=await in_thread(self._render_change, actor, job_id, ended))

    async def _send_away(self) -> None:
        """Say why the page is of no use any more, then close."""
        words = NOT_A_MEMBER_WORDS if self.scope["user"].is_authenticated else SIGNED_OUT_WORDS
        await self.send(text_data=render_to_string("studio/_gone.html", {"words": words}))
        await self.close(code=NOT_A_MEMBER)

    async def _actor(self) -> Actor:
        slug = self.scope["url_route"]["kwargs"]["slug"]
        return await in_thread(lookups.actor, self.scope["user"], slug)

    def _render_change(self, actor: Actor, job_id: str | None, ended: bool) -> str:
        context = jobs.live(actor.workspace, viewer=actor.user, job_id=job_id, ended=ended)
        return render_to_string("studio/_live.html", context)

    def _render_snapshot(self, actor: Actor, since: datetime) -> str:
        context = jobs.snapshot(actor.workspace, viewer=actor.user, since=since)
        return render_to_string("studio/_snapshot.html", context)


def _same_origin(scope: dict[str, Any]) -> bool:
    """Cookies know no ports: a page of another port of this host must not listen in."""
    headers = dict(scope["headers"])
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1")).netloc
    own = {headers.get(b"host", b"").decode("latin-1"), urlsplit(settings.BASE_URL).netloc}
    return bool(origin) and origin in own


def _since(scope: dict[str, Any]) -> datetime:
    """When the page was rendered: `?since=` in unix seconds; now, if it does not say."""
    values = parse_qs(scope.get("query_string", b"").decode("ascii", "ignore")).get("since", [])
    try:
        return datetime.fromtimestamp(float(values[0]), tz=UTC)
    except (IndexError, ValueError, OverflowError, OSError):
        return timezone.now()
