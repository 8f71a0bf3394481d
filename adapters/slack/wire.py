"""The way to Slack's Web API: slack_sdk's client over one aiohttp session, and its errors.

Everything raises only what adapters.slack.failures draws, `from None`: neither the token nor what
people said can be in the text of an error. Nothing is tried again here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.failures import Lost, Unreached, failure


class Answer(dict[str, Any]):
    """What Slack answers. One that lacks what it must have is as good as none."""

    def __missing__(self, key: str) -> NoReturn:
        raise Lost


class Wire:
    """A bot's way to Slack. `seconds` is how long an answer may take."""

    def __init__(self, api_url: str, token: str, seconds: float) -> None:
        # What slack_sdk logs at DEBUG is what people say.
        logging.getLogger("slack_sdk").setLevel(logging.WARNING)
        self._token = token
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None
        self._client = AsyncWebClient(token, api_url, timeout=int(seconds) + 1, retry_handlers=[])

    def __repr__(self) -> str:
        """Without the token."""
        return f"{type(self).__name__}()"

    @property
    def client(self) -> AsyncWebClient:
        """slack_sdk's own client, on the session that all calls share. Needs a running loop."""
        self._client.session = self.session
        return self._client

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session; nothing of it carries the token by itself."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._seconds)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    @property
    def authorization(self) -> Mapping[str, str]:
        """The header that proves the bot, for the files of Slack's own hosts only."""
        return {"Authorization": f"Bearer {self._token}"}

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def _made(self, call: Awaitable[AsyncSlackResponse]) -> Answer:
        """What a call answers."""
        response = await self._response(call)
        return Answer(response.data if isinstance(response.data, dict) else {})

    @staticmethod
    async def _response(call: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
        """The answer to a call, with its headers."""
        try:
            with translated():
                return await call
        except SlackApiError as error:
            raise failure(*answered(error)) from None

    async def _posted(self, url: str, **given: Any) -> tuple[int, Mapping[str, str], str]:
        """POST to an address that is no method's: status, headers, text."""
        with translated():
            async with self.session.post(url, allow_redirects=False, **given) as response:
                return response.status, response.headers, await response.text(errors="replace")


@contextmanager
def translated() -> Iterator[None]:
    """What goes wrong on the way, in the core's words."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL):
        raise Unreached from None
    except (aiohttp.ClientError, OSError):  # a TimeoutError is an OSError
        raise Lost from None
    except (ValueError, AttributeError, TypeError):  # slack_sdk could not read the answer
        raise Lost from None


def answered(error: SlackApiError) -> tuple[int, Mapping[str, str], Any]:
    """Status, headers and body of an answer; slack_sdk gives its own response, or aiohttp's."""
    response = error.response
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    return status or 0, response.headers, getattr(response, "data", None)


def decoded(text: str) -> dict[str, Any]:
    """The JSON object in an answer; nothing where there is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
