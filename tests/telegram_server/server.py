"""The server: what is called, what goes wrong with it, and who is there."""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, Self

from aiohttp import web

from tests.ending import end
from tests.faults import Faults, Planned, spoilt
from tests.telegram_server import editing, sending, wire
from tests.telegram_server.chats import Chat
from tests.telegram_server.faults import Fail, Fault
from tests.telegram_server.limits import FloodControl, Limits
from tests.telegram_server.methods import METHODS
from tests.telegram_server.specification import specification
from tests.telegram_server.updates import Updates
from tests.telegram_server.values import Call, File, Json, Person, Refused

TOKEN = "4242:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"
TOKEN_FORM = re.compile(r"\d+:[\w-]{35}")
SUPERGROUPS_BELOW = -1_000_000_000_000
MOST_BODY = 64 * 1024**2

assert sending, "importing them registers their methods"
assert editing


class TelegramServer:
    """A Telegram for one test: `async with TelegramServer() as telegram: telegram.api_url`.

    Without `limits` it takes everything at any speed. `supports_drafts` is False for a server
    without previews, `supports_stop` for one that has no Stop button there. `now` is the time of
    the limits, of previews and of messages, in Unix seconds. `calls` has every call that came,
    unless `keep_calls` is False; `statuses` counts them by method and answer. `violations` has what
    did not agree with Telegram's description of its methods, which fails the test in the end.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        limits: Limits | None = Limits(),  # noqa: B008  frozen
        supports_drafts: bool = True,
        supports_stop: bool = True,
        now: Callable[[], float] = time.time,
        port: int = 0,
        keep_calls: bool = True,
    ) -> None:
        self.token = token
        self.port = port
        self.supports_drafts = supports_drafts
        self.supports_stop = supports_stop
        self.now = now
        self.keep_calls = keep_calls
        self.bot = Person(
            int(token.split(":", maxsplit=1)[0]), "Tune", "tune_test_bot", is_bot=True
        )
        self.flood_control = FloodControl(limits, now)
        self.faults = Faults[Fail]()
        self.updates = Updates(self.change)
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, File] = {}
        self.commands: dict[tuple[str, int, str], list[Json]] = {}
        self.queries: dict[str, asyncio.Future[Json]] = {}
        self.calls: list[Call] = []
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.violations: list[str] = []
        self._numbers = count(1)
        self._message_ids = count(1)
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def api_url(self) -> str:
        """What stands in the place of https://api.telegram.org."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MOST_BODY)
        app.router.add_route("*", "/bot{token}/{method}", self._called)
        app.router.add_get("/file/bot{token}/{kind}/{id}", self._fetched)
        # A poll whose client is gone must not take updates.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, failed: object, *_: object) -> None:
        assert self._runner
        await self.updates.close()
        self.faults.release()
        await end(self._runner)
        assert failed or not self.violations, self.violations

    # Who is there

    def private(self, user_id: int, name: str = "Ann", username: str = "") -> Chat:
        """A person, who has started the bot."""
        person = Person(user_id, name, username)
        return self._chat({"id": user_id, "type": "private", "first_name": name}, person)

    def group(self, chat_id: int, person: Person = Person(1)) -> Chat:  # noqa: B008  frozen
        """A group with the bot in it; a supergroup if its id is one's. `person` writes there where
        nobody else is named.
        """
        kind = "supergroup" if chat_id < SUPERGROUPS_BELOW else "group"
        return self._chat({"id": chat_id, "type": kind, "title": f"Group {-chat_id}"}, person)

    def forum(self, chat_id: int, person: Person = Person(1)) -> Chat:  # noqa: B008  frozen
        """A supergroup with topics, made by its `topic`."""
        about = {"id": chat_id, "type": "supergroup", "title": "Forum", "is_forum": True}
        return self._chat(about, person)

    def _chat(self, about: Json, person: Person) -> Chat:
        """A chat. Supergroups number their messages by themselves, all others of a bot together."""
        numbers = count(1) if about["type"] == "supergroup" else self._message_ids
        return self.chats.setdefault(about["id"], Chat(self, about, person, numbers))

    # What happens

    def happens(self, kind: str, what: Json) -> None:
        """The bot is told of something."""
        self.updates.add(kind, what)

    def inject(self, update: Any) -> int:
        """Deliver an update as it is, however malformed; returns its id."""
        return self.updates.inject(update)

    def redeliver(self) -> None:
        """Deliver once more what the bot has confirmed already."""
        self.updates.redeliver()

    def fails(self, method: str, fault: Fault, *, chat: int = 0, times: int = 1) -> None:
        """Let the next calls of a method ("" for any) fail, in one chat or anywhere."""
        self.faults.plan(Planned(fault, method, chat or "", times))

    def flood(self, seconds: float, *, chat: int = 0) -> None:
        """Take nothing for a while, in one chat or anywhere."""
        self.flood_control.flood(chat, seconds)

    async def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Return when the condition holds; looked at after every call and change of a chat."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def called(self, method: str, chat: int = 0) -> list[Call]:
        """The calls of a method, in one chat or anywhere."""
        return [call for call in self.calls if call.method == method and chat in {0, call.chat}]

    # What the methods need

    def keep(self, file: File) -> File:
        """A file has an id from now on."""
        kept = replace(file, id=f"file-{next(self._numbers)}")
        self.files[kept.id] = kept
        return kept

    def query(self) -> tuple[str, asyncio.Future[Json]]:
        """A press of a button: its id, and the bot's answer to come."""
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        query = f"{next(self._numbers)}"
        self.queries[query] = answer
        return query, answer

    def change(self) -> None:
        """Wake those who wait in `until`."""
        self._changed.set()

    # The wire

    async def _called(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.match_info["method"], await wire.parameters(request), self.now())
        if self.keep_calls:
            self.calls.append(call)
        self.change()
        if fault := self.faults.take(call.method, call.chat):
            response = await self._broken(request, call, fault)
        else:
            response = await self._answer(request, call)
        call.status = response.status
        self.statuses[call.method, call.status] += 1
        self.change()
        return response

    async def _broken(self, request: web.Request, call: Call, fault: Fault) -> web.Response:
        if isinstance(fault, Fail):
            asked = {"retry_after": fault.retry_after} if fault.retry_after else {}
            return wire.failure(Refused(fault.description, fault.status, asked))
        return await spoilt(fault, request, lambda: self._answer(request, call))

    async def _answer(self, request: web.Request, call: Call) -> web.Response:
        try:
            return wire.success(await self._done(request.match_info["token"], call))
        except Refused as refused:
            return wire.failure(refused)

    async def _done(self, token: str, call: Call) -> Any:
        if token != self.token:
            raise Refused("Unauthorized", 401) if TOKEN_FORM.fullmatch(token) else not_found()
        described = specification()
        if described and (problem := described.problem(call.method, call.given)):
            self.violations.append(problem)
            raise Refused(problem)
        if call.method not in METHODS:
            raise not_found()
        result = METHODS[call.method](self, call.given)
        return await result if inspect.isawaitable(result) else result

    async def _fetched(self, request: web.Request) -> web.StreamResponse:
        file = self.files.get(request.match_info["id"])
        if request.match_info["token"] != self.token or not file:
            return wire.failure(not_found())
        return web.Response(body=file.content, content_type="application/octet-stream")


def not_found() -> Refused:
    """What Telegram says of a method, file or token that cannot exist."""
    return Refused("Not Found", 404)
