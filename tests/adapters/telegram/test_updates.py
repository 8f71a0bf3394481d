"""Whatever Telegram, or somebody in its place, sends: it spoils nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.telegram.account import Account
from adapters.telegram.addressed import Me
from adapters.telegram.api import Api
from adapters.telegram.files import Files
from adapters.telegram.intake import Intake
from adapters.telegram.joined import Joiner
from adapters.telegram.ledger import Ledger
from adapters.telegram.moves import Moves
from adapters.telegram.pacer import Pacer, Rates
from adapters.telegram.poller import above
from adapters.telegram.shelf import Shelf
from adapters.telegram.updates import Reader
from adapters.telegram.webhook import update_of
from bot.messages import IncomingMessage
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import HastyClock, Make, going
from tests.telegram_server import TelegramServer

ANN = {"id": 7, "is_bot": False, "first_name": "Ann"}
CHAT = {"id": 7, "type": "private", "first_name": "Ann"}
MESSAGE = {"message_id": 5, "date": 1, "chat": CHAT, "from": ANN, "text": "Hello"}
SAMPLES = (
    {"message": MESSAGE},
    {"message": {**MESSAGE, "migrate_to_chat_id": -1_000_000_000_007}},
    {"message": {**MESSAGE, "media_group_id": "1", "photo": [
        {"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]}},
    {"callback_query": {
        "id": "1", "from": ANN, "message": MESSAGE, "chat_instance": "7", "data": "s7:/help"}},
    {"message_reaction": {
        "chat": CHAT, "message_id": 5, "user": ANN, "date": 1,
        "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]}},
    {"stopped_message_generation": {"chat": CHAT, "draft_id": 4}},
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["\ud800", "\0", "x" * 4000, "/stop", "-7", "7.5"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "chat", "message", "text", "from"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """An update in which one value is another."""
    update = json.loads(json.dumps(draw(st.sampled_from(SAMPLES))))
    update["update_id"] = 5
    at: Any = update
    while True:
        key = draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if isinstance(at[key], dict | list) and at[key] and draw(st.integers(0, 4)):
            at = at[key]
            continue
        at[key] = draw(ANYTHING)
        return update


class Nowhere(Api):
    """A Telegram that never answers."""

    async def _do_post(self, *_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()


class Standing:
    """An adapter's name and nothing else."""

    name, doors = "telegram", ()


async def taken(updates: Sequence[Any]) -> FakeCore:
    """A core after an intake has taken updates, and a sound message of Bob's after each."""
    core, clock = Listening(), HastyClock()
    api = Nowhere("http://127.0.0.1:9", "42:nobody", 1.0)
    account = Account(api, Pacer(clock, Rates(0, 0, 0)), Ledger(), Moves("telegram"), clock)
    await account.moves.begin(core)
    reader = Reader("telegram", Me(42, "tune_test_bot"))
    intake = Intake(core, account, reader, Joiner(clock, 0.1), Files(api, core.files, clock))
    shelf = Shelf(core, "telegram", 42)
    for number, update in enumerate(updates):
        sound = {**MESSAGE, "message_id": 10**6 + number, "text": f"sound {number}"}
        bob = {"chat": {**CHAT, "id": 8}, "from": {**ANN, "id": 8}}
        good = {"update_id": 10**6 + number, "message": {**sound, **bob}}
        intake.take(await shelf.put([update, good]))
        async with asyncio.timeout(30):
            await core.heard(f"sound {number}")
    account.ledger.unaccounted(7, 1)
    await intake.close()
    return core


class Listening(FakeCore):
    """A core that answers nobody."""

    def __init__(self) -> None:
        super().__init__(Standing())  # type: ignore[arg-type]

    async def _reply(self, message: IncomingMessage) -> None:
        """Nothing is said."""


@settings(max_examples=150, deadline=None)
@given(st.lists(broken(), min_size=1, max_size=4))
def test_broken_update_spoils_no_other(updates: Sequence[Any]) -> None:
    asyncio.run(taken(updates))


@settings(max_examples=50, deadline=None)
@given(st.lists(ANYTHING, min_size=1, max_size=4))
def test_any_json_spoils_no_update(updates: Sequence[Any]) -> None:
    asyncio.run(taken(updates))


@given(st.lists(ANYTHING | broken()), st.integers(0, 10**9))
def test_offset_never_falls_and_confirms_what_has_a_number(found: list[Any], offset: int) -> None:
    assert above(found, offset) >= offset


@given(st.binary() | st.text().map(str.encode))
def test_any_body_is_an_update(body: bytes) -> None:
    json.dumps(update_of(body))


def test_body_that_is_nested_without_end_is_a_text() -> None:
    assert isinstance(update_of(b"[" * 100_000), str)


@pytest.mark.parametrize("field", ["chat", "message"])
async def test_number_that_is_none_ends_no_poll(
    telegram: TelegramServer, make: Make, field: str
) -> None:
    adapter = make()
    core = FakeCore(adapter)
    async with going(adapter, core):
        chat = {**CHAT, "id": 7.5} if field == "chat" else CHAT
        number = 1.5 if field == "message" else 5
        telegram.inject({"message": {**MESSAGE, "chat": chat, "message_id": number}})
        await telegram.private(8).writes("Hello")
        await core.heard("Hello")
