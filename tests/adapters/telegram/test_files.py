"""What people attach reaches the core as files, whole, and nothing stays of what it does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.messages import IncomingMessage, Receipt
from tests.adapters.fake_core import FakeCore
from tests.adapters.telegram.conftest import HastyClock, Make, running
from tests.telegram_server import Drop, File, TelegramServer

TALK = File("document", "../talk.jsonl", "application/jsonl", b'{"a": 1}\n' * 100_000)
VOICE = File("voice", "", "audio/ogg", b"OggS" * 100)


class RefusingCore(FakeCore):
    """Knows nobody."""

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


async def test_file_of_a_stranger_does_not_stay(telegram: TelegramServer, make: Make) -> None:
    ann, adapter = telegram.private(7), make()
    core = RefusingCore(adapter)
    run = asyncio.create_task(adapter.run(core))
    await ann.sends(TALK, "Look")
    await telegram.until(lambda: telegram.updates.confirmed)
    assert not list(core.files.iterdir())
    run.cancel()
    await asyncio.wait([run])


async def test_album_is_one_message(telegram: TelegramServer, make: Make) -> None:
    ann = telegram.private(7)
    kept = [telegram.keep(File("photo", "", "image/jpeg", bytes([n]))) for n in range(3)]
    async with running(make(split_seconds=0.1)) as core:
        for number, photo in enumerate(kept):
            message = ann.post(ann.person, "Three of them" if number == 0 else "", file=photo)
            album = {**message.json(ann.about), "media_group_id": "album"}
            telegram.happens("message", album)
        await core.heard("Three of them")
        assert len(core.received[0].attachments) == 3
        await telegram.until(lambda: not telegram.updates.waiting)
        assert len(core.received) == 1
