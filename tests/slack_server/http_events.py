"""HTTP mode: payloads are posted to the request URL of the bot, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

import aiohttp

from tests.slack_server.events import TOKEN
from tests.slack_server.payloads import Attempt, Payload, Undelivered
from tests.slack_server.values import Json
from tests.slack_server.workspace import Workspace

MOST_REDIRECTS = 2
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Signature:
    """How requests are signed: rightly by default. Another `secret` makes it wrong, and an `age`
    in seconds makes the request look as old as that.
    """

    secret: str
    age: float = 0.0

    def headers(self, body: str, now: float) -> dict[str, str]:
        """As docs.slack.dev/authentication/verifying-requests-from-slack describes them."""
        timestamp = f"{int(now - self.age)}"
        signed = hmac.new(
            self.secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256
        ).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={signed}"}


class RequestUrl:
    """The one URL of the bot for events, commands and interactivity. `signature` may be changed
    at any time. `statuses` has the status of each answer.
    """

    timeout = "http_timeout"

    def __init__(self, workspace: Workspace, url: str, signing_secret: str) -> None:
        self.url = url
        self.signature = Signature(signing_secret)
        self.statuses: list[int] = []
        self._workspace = workspace
        self._session: aiohttp.ClientSession | None = None

    async def verify(self) -> bool:
        """Whether the URL proves that it is the bot's, by the challenge that it is asked."""
        challenge = secrets.token_hex(16)
        asked = {"token": TOKEN, "challenge": challenge, "type": "url_verification"}
        status, _, text = await self._post(json.dumps(asked), "application/json", {})
        return status == 200 and challenge in answered(text)

    async def attempt(self, payload: Payload, attempt: Attempt) -> Json:
        """Post once; anything but a 2xx is no acknowledgement."""
        body, content_type = written(payload)
        again = {}
        if attempt.number:
            again = {
                "X-Slack-Retry-Num": f"{attempt.number}",
                "X-Slack-Retry-Reason": attempt.reason,
            }
        attempt.sent = True
        try:
            status, headers, text = await self._post(body, content_type, again)
        except aiohttp.TooManyRedirects:
            raise Undelivered("too_many_redirects") from None
        except aiohttp.ClientError:
            raise Undelivered("connection_failed") from None
        self.statuses.append(status)
        if not 200 <= status < 300:
            raise Undelivered("http_error", final=headers.get("X-Slack-No-Retry") == "1")
        attempt.seconds = self._workspace.now() - attempt.at
        return read(text)

    async def _post(
        self, body: str, content_type: str, more: dict[str, str]
    ) -> tuple[int, Mapping[str, str], str]:
        self._session = self._session or aiohttp.ClientSession()
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            **self.signature.headers(body, self._workspace.now()),
            **more,
        }
        async with self._session.post(
            self.url, data=body.encode(), headers=headers, max_redirects=MOST_REDIRECTS
        ) as answer:
            return answer.status, answer.headers, await answer.text()

    async def close(self) -> None:
        """Post no more."""
        if self._session:
            await self._session.close()


def written(payload: Payload) -> tuple[str, str]:
    """The body of a request and its content type: events are JSON, the rest are forms."""
    match payload.kind:
        case "events_api":
            return json.dumps(payload.body), "application/json"
        case "slash_commands":
            return urlencode(payload.body), FORM
        case "interactive":
            return urlencode({"payload": json.dumps(payload.body)}), FORM


def read(text: str) -> Json:
    """What an answer says: JSON, or the text of a message."""
    if text.lstrip().startswith("{"):
        return dict(json.loads(text))
    return {"text": text} if text else {}


def answered(text: str) -> list[str]:
    """The challenges that an answer may mean: alone, in JSON or in a form."""
    said = read(text)
    return [text.strip(), f"{said.get('challenge')}", *parse_qs(text).get("challenge", [])]
