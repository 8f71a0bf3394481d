"""What people attach reaches the core as files, whole, and nothing stays of what it does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from adapters.telegram import files
from bot.errors import StoreFull
from bot.messages import IncomingMessage, Receipt
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import HastyClock, Make, adapter_on, going, running
from tests.adapters.telegram.test_webhook import called
from tests.telegram_server import Drop, File, Hang, Person, TelegramServer

TALK = File("document", "../talk.jsonl", "application/jsonl", b'{"a": 1}\n' * 100_000)
VOICE = File("voice", "", "audio/ogg", b"OggS" * 100)


class RefusingCore(FakeCore):
    """Takes nothing just now."""

    async def receive(self, message: IncomingMessage) -> Receipt:
        await super().receive(message)
        return Receipt.REFUSED


async def test_document_is_kept_under_a_name_that_nobody_chose(
    telegram: TelegramServer, make: Make
) -> None:
    ann = telegram.private(7)
    async with running(make()) as core:
        await ann.sends(TALK, "What do you think?")
        await core.heard("What do you think?")
        (attached,) = core.received[0].attachments
        path = Path(attached.path)
        assert path.parent == core.files
        assert "talk" not in path.name
        assert path.read_bytes() == TALK.content
        assert (attached.name, attached.media_type) == ("../talk.jsonl", "application/jsonl")
        assert attached.size == len(TALK.content)


async def test_voice_note_comes_without_words(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    async with running(make()) as core:
        await ann.sends(VOICE)
        await core.heard("")
        (attached,) = core.received[0].attachments
        assert attached.media_type == "audio/ogg"
        assert Path(attached.path).read_bytes() == VOICE.content


async def test_file_that_telegram_does_not_give_is_told_and_the_words_are_heard(
    telegram: TelegramServer, make: Make
) -> None:
    ann, large = telegram.private(7), File("document", "a.bin", "x/y", bytes(20 * 1024**2 + 1))
    async with running(make()) as core:
        await ann.sends(large, "What is it?")
        await core.heard("What is it?")
        assert not core.received[0].attachments
        await ann.sees(lambda _: any("larger than 20 MB" in text for text in ann.answers))
        await ann.sends(large)
        await ann.sees(lambda _: str(ann.answers).count("larger than 20 MB") == 2)
        assert len(core.received) == 1, "nothing else was said"


async def test_download_that_breaks_is_begun_anew(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    telegram.fails("getFile", Drop(), times=2)
    async with running(make(HastyClock())) as core:
        await ann.sends(TALK, "Look")
        await core.heard("Look")
        assert core.received[0].attachments
        assert len(list(core.files.iterdir())) == 1


async def test_file_that_cannot_be_had_is_told(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    telegram.fails("getFile", Drop(), times=3)
    async with running(make(HastyClock())) as core:
        await ann.sends(TALK, "Look")
        await core.heard("Look")
        assert not core.received[0].attachments
        await ann.sees(lambda _: any("send it again" in text for text in ann.answers))


@pytest.mark.parametrize("size", [10, 20 * 1024**2 + 1], ids=["small", "too large"])
async def test_nothing_of_a_stranger_is_fetched_nor_talked_about(
    telegram: TelegramServer, make: Make, size: int
) -> None:
    ann, adapter = telegram.private(7), make()
    core = FakeCore(adapter)
    core.strangers = {"telegram:7"}
    async with going(adapter, core):
        await ann.sends(File("document", "a.bin", "x/y", bytes(size)), "Look")
        await ann.sends(File("document", "a.bin", "x/y", bytes(size)))
        await telegram.private(8).writes("Hello")
        await core.heard("Hello")
        await telegram.until(lambda: not telegram.updates.waiting)
        assert not core.shelf
    assert not telegram.called("getFile")
    assert not ann.answers, "it is the core that tells them, once"


async def test_file_that_never_comes_is_given_up(
    telegram: TelegramServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST", 0.05)
    ann = telegram.private(7)
    telegram.fails("getFile", Hang())
    async with running(make()) as core:
        await ann.sends(TALK, "Look")
        await core.heard("Look")
        assert not core.received[0].attachments
        await ann.sees(lambda _: "send it again" in str(ann.answers))
        assert not list(core.files.iterdir())


async def test_only_so_many_files_are_fetched_at_once(
    telegram: TelegramServer, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_AT_ONCE", 1)
    ann, bob, slow = telegram.private(7), telegram.private(8), Hang()
    telegram.fails("getFile", slow)
    async with running(make()) as core:
        await ann.sends(TALK, "Look")
        await telegram.until(lambda: telegram.called("getFile"))
        await bob.sends(VOICE, "Listen")
        await telegram.private(9).writes("Hello")
        await core.heard("Hello")
        assert len(telegram.called("getFile")) == 1
        slow.until.set()
        await core.heard("Listen")
        assert all(each.attachments for each in core.received if each.text != "Hello")


async def test_file_of_who_may_write_no_more_now_does_not_stay(
    telegram: TelegramServer, make: Make
) -> None:
    ann, adapter = telegram.private(7), make()
    core = RefusingCore(adapter)
    async with going(adapter, core):
        await ann.sends(TALK, "Look")
        await ann.writes("And then?")
        await core.heard("And then?")
        assert telegram.called("getFile")
        assert not list(core.files.iterdir())


async def test_album_is_one_message(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    kept = [telegram.keep(File("photo", "", "image/jpeg", bytes([n]))) for n in range(3)]
    async with running(make(split_seconds=0.5)) as core:
        for number, photo in enumerate(kept):
            message = ann.post(ann.person, "Three of them" if number == 0 else "", file=photo)
            album = {**message.json(ann.about), "media_group_id": "album"}
            telegram.happens("message", album)
        await core.heard("Three of them")
        assert len(core.received[0].attachments) == 3
        await telegram.until(lambda: not telegram.updates.waiting)
        assert len(core.received) == 1


async def test_album_in_a_group_belongs_to_its_mention(
    telegram: TelegramServer, make: Make
) -> None:
    group = telegram.group(-1_000_000_000_007, Person(7, "Ann"))
    async with running(make(split_seconds=0.5)) as core:
        for caption in ("", "@tune_test_bot compare these", ""):
            photo = telegram.keep(File("photo", "", "image/jpeg", b"x"))
            message = group.post(group.person, caption, file=photo)
            album = {**message.json(group.about), "media_group_id": "album"}
            telegram.happens("message", album)
        await core.heard("compare these")
        assert len(core.received[0].attachments) == 3
        for _ in range(2):
            message = group.post(group.person, "", file=telegram.keep(VOICE))
            telegram.happens("message", {**message.json(group.about), "media_group_id": "other"})
        await telegram.until(lambda: not telegram.updates.waiting)
        assert len(core.received) == 1, "an album for nobody is nothing to the bot"


async def test_file_of_a_message_that_was_not_stored_does_not_stay(
    telegram: TelegramServer,
) -> None:
    ann = telegram.private(7)
    async with called(telegram, StoreFull("The disk is full.")) as core:
        await ann.sends(VOICE, "Listen")
        await core.heard("Listen")
        assert len(list(core.files.iterdir())) == 1


@pytest.mark.parametrize(
    "raw",
    [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz"],
    ids=["garbage", "bad chunk"],
)
async def test_broken_download_is_told_and_the_token_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raw: bytes
) -> None:
    async def fetched(_: TelegramServer, request: web.Request) -> web.Response:
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.write(raw)
        request.transport.close()
        return web.Response()

    monkeypatch.setattr(TelegramServer, "_fetched", fetched)
    async with TelegramServer() as telegram:
        adapter, ann = adapter_on(telegram, HastyClock()), telegram.private(7)
        async with running(adapter) as core:
            await ann.sends(TALK, "Look")
            await core.heard("Look")
            await ann.sees(lambda _: "send it again" in str(ann.answers))
        await adapter.close()
        assert not core.aside
        assert telegram.token.partition(":")[2] not in str(capsys.readouterr())
