"""The response_url of a command or a press: five messages within half an hour."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from tests.slack_server.chat import content, posted
from tests.slack_server.values import Channel, Json, Message, Refused, User

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

MOST_ANSWERS = 5
SECONDS = 30 * 60
PATH = "/commands"


@dataclass(slots=True)
class ResponseUrl:
    """Where an answer goes; `original` is the message whose button was pressed."""

    channel: Channel
    user: User
    original: Message | None
    until: float
    left: int = MOST_ANSWERS


class Responses:
    """All response_urls that were given out."""

    def __init__(self, slack: SlackServer) -> None:
        self._slack = slack
        self._workspace = slack.workspace
        self._given: dict[str, ResponseUrl] = {}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Where answers are posted."""
        return [web.post(f"{PATH}/{{team}}/{{key}}", self.serve)]

    def give(
        self, channel: Channel, user: User, original: Message | None = None
    ) -> tuple[str, ResponseUrl]:
        """A new one, and its address."""
        response_url = ResponseUrl(channel, user, original, self._workspace.now() + SECONDS)
        key = secrets.token_urlsafe(16)
        self._given[key] = response_url
        return f"{self._slack.url}{PATH}/{self._workspace.team}/{key}", response_url

    async def serve(self, request: web.Request) -> web.Response:
        """A message of the bot by a response_url. The errors are as reported, not documented."""
        response_url = self._given.get(request.match_info["key"])
        if not response_url:
            return refusal(404, "no_team")
        if self._workspace.now() > response_url.until:
            return refusal(404, "expired_url")
        if not response_url.left:
            return refusal(404, "used_url")
        try:
            said = dict(json.loads(await request.text()))
        except (ValueError, TypeError):
            return refusal(400, "invalid_payload")
        response_url.left -= 1
        error = self.take(response_url, said)
        return refusal(400, error) if error else web.Response(text="ok")

    def take(self, to: ResponseUrl, said: Json) -> str:
        """Let people see an answer, there or in an acknowledgement; "", or why Slack does not."""
        try:
            self._show(to, said)
        except Refused as refused:
            return refused.error
        return ""

    def _show(self, to: ResponseUrl, said: Json) -> None:
        """Without an original, as after a command, there is nothing to replace: it is new. Raises
        Refused.
        """
        if said.get("delete_original") and to.original:
            self._workspace.delete(to.original)
            return
        answer = content(self._slack, said)
        if said.get("replace_original") and to.original:
            self._workspace.edit(to.original, answer.text, answer.blocks)
            return
        alone = "" if said.get("response_type") == "in_channel" else to.user.id
        posted(self._slack, to.channel, answer, said, ephemeral_for=alone)


def refusal(status: int, error: str) -> web.Response:
    """Why an answer is not taken."""
    return web.json_response({"ok": False, "error": error}, status=status)
