"""The methods of Slack's Web API that the bot uses, one coroutine each. Errors are those of
adapters.slack.failures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from adapters.slack.failures import failure
from adapters.slack.wire import Wire, decoded

Json = dict[str, Any]
Blocks = Sequence[Mapping[str, Any]]
GONE = {404, 410}
UPLOAD_STRETCH = 6  # a file may take so many times as long as a call
PLAIN: dict[str, Any] = {"parse": "none", "link_names": False}  # a bare @channel is text
BARE: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}


class Api(Wire):
    """A bot's account at Slack."""

    # Who and where

    async def auth_test(self) -> Json:
        """Whose token it is: team_id, user_id, bot_id."""
        return await self._made(self.client.auth_test())

    async def scopes(self) -> frozenset[str]:
        """What the token may do, as auth.test says it in a header; nothing where it does not."""
        told = (await self._response(self.client.auth_test())).headers.get("x-oauth-scopes", "")
        return frozenset(scope for each in told.split(",") if (scope := each.strip()))

    async def socket_url(self, app_token: str) -> str:
        """apps.connections.open: where to connect for Socket Mode; it is good for half a minute."""
        opened = await self._made(self.client.apps_connections_open(app_token=app_token))
        return str(opened["url"])

    async def user(self, user: str) -> Json:
        """A person: name, profile, is_bot."""
        return dict((await self._made(self.client.users_info(user=user)))["user"])

    async def direct(self, user: str) -> str:
        """The id of the direct messages with a person."""
        opened = await self._made(self.client.conversations_open(users=user))
        return str(opened["channel"]["id"])

    async def thread(self, channel: str, ts: str, **given: Any) -> Json:
        """A page of a thread: messages with their metadata, oldest first, its root at the head."""
        return await self._made(
            self.client.conversations_replies(
                channel=channel, ts=ts, include_all_metadata=True, **given
            )
        )

    async def history(self, channel: str, **given: Any) -> Json:
        """A page of a channel: messages with their metadata, newest first."""
        return await self._made(
            self.client.conversations_history(channel=channel, include_all_metadata=True, **given)
        )

    # Messages

    async def post(
        self,
        channel: str,
        text: str,
        blocks: Blocks,
        *,
        thread: str = "",
        metadata: Json | None = None,
    ) -> str:
        """chat.postMessage; returns the ts. `text` is what notifications show."""
        posted = await self._made(
            self.client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=listed(blocks),
                thread_ts=thread or None,
                metadata=metadata,
                **PLAIN,
                **BARE,
            )
        )
        return str(posted["ts"])

    async def update(
        self, channel: str, ts: str, text: str, blocks: Blocks, metadata: Json | None = None
    ) -> None:
        """chat.update."""
        await self._made(
            self.client.chat_update(
                channel=channel,
                ts=ts,
                text=text,
                blocks=listed(blocks),
                metadata=metadata,
                **PLAIN,
            )
        )

    async def delete(self, channel: str, ts: str) -> None:
        """chat.delete."""
        await self._made(self.client.chat_delete(channel=channel, ts=ts))

    async def post_ephemeral(
        self, channel: str, user: str, text: str, blocks: Blocks, *, thread: str = ""
    ) -> None:
        """chat.postEphemeral: one person sees it, until they reload."""
        await self._made(
            self.client.chat_postEphemeral(
                channel=channel,
                user=user,
                text=text,
                blocks=listed(blocks),
                thread_ts=thread or None,
                **PLAIN,
            )
        )

    async def respond(self, url: str, body: Mapping[str, Any]) -> None:
        """Answer a slash command or a button by its response_url: five times in half an hour."""
        status, headers, text = await self._posted(url, json=dict(body))
        answer = decoded(text)
        if status in GONE and not answer:
            answer = {"error": "expired_url"}
        if status != 200 or answer.get("ok") is False:
            raise failure(status, headers, answer)

    # Streams

    async def start_stream(
        self, channel: str, thread: str, text: str, *, team: str = "", user: str = ""
    ) -> str:
        """chat.startStream with its first text; returns the ts."""
        started = await self._made(
            self.client.chat_startStream(
                channel=channel,
                thread_ts=thread,
                markdown_text=text,
                recipient_team_id=team or None,
                recipient_user_id=user or None,
            )
        )
        return str(started["ts"])

    async def append_stream(self, channel: str, ts: str, text: str) -> None:
        """chat.appendStream."""
        await self._made(self.client.chat_appendStream(channel=channel, ts=ts, markdown_text=text))

    async def stop_stream(
        self, channel: str, ts: str, text: str = "", *, blocks: Blocks = (), metadata: Json
    ) -> None:
        """chat.stopStream with the last text and what stands below it."""
        await self._made(
            self.client.chat_stopStream(
                channel=channel,
                ts=ts,
                markdown_text=text or None,
                blocks=listed(blocks) or None,
                metadata=metadata,
            )
        )

    # Assistant threads

    async def set_status(self, channel: str, thread: str, status: str) -> None:
        """assistant.threads.setStatus; "" clears it."""
        await self._made(
            self.client.assistant_threads_setStatus(
                channel_id=channel, thread_ts=thread, status=status
            )
        )

    # Views

    async def open_view(self, trigger: str, view: Mapping[str, Any]) -> Json:
        """views.open, within three seconds of the trigger_id; returns the view."""
        opened = await self._made(self.client.views_open(trigger_id=trigger, view=dict(view)))
        return dict(opened["view"])

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """views.publish: a person's home tab."""
        await self._made(self.client.views_publish(user_id=user, view=dict(view)))

    # Reactions

    async def reactions(self, channel: str, ts: str) -> Json:
        """reactions.get: what is below a message; names with the people of each."""
        return await self._made(self.client.reactions_get(channel=channel, timestamp=ts, full=True))

    # Files

    async def file(self, file: str) -> Json:
        """files.info: name, mimetype, url_private_download, shares."""
        return dict((await self._made(self.client.files_info(file=file)))["file"])

    async def upload_url(self, name: str, size: int) -> tuple[str, str]:
        """files.getUploadURLExternal: where to post a file, and the id that it will have."""
        given = await self._made(self.client.files_getUploadURLExternal(filename=name, length=size))
        return str(given["upload_url"]), str(given["file_id"])

    async def upload(self, url: str, content: bytes) -> None:
        """Post a file where upload_url said."""
        timeout = aiohttp.ClientTimeout(total=UPLOAD_STRETCH * self._seconds)
        status, headers, _ = await self._posted(url, data=content, timeout=timeout)
        if status != 200:
            raise failure(status, headers, None)

    async def share(self, file: str, channel: str, thread: str = "") -> None:
        """files.completeUploadExternal: the file becomes a message."""
        await self._made(
            self.client.files_completeUploadExternal(
                files=[{"id": file}], channel_id=channel, thread_ts=thread or None
            )
        )


def listed(blocks: Blocks) -> list[dict[str, Any]]:
    """Blocks as slack_sdk takes them."""
    return [dict(block) for block in blocks]
