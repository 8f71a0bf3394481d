"""A voice message is answered like text, and the person sees what was understood."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.messages import Said
from tests.fakes import Bot, configuration, running
from tests.scripted_model import ScriptedModel
from tests.test_attachments import attached


@pytest.fixture
async def bot(model: ScriptedModel, tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot whose provider listens."""
    config = configuration(tmp_path, model.base_url)
    listening = {
        name: replace(each, transcription="whisper-1") for name, each in config.providers.items()
    }
    async with running(config.model_copy(update={"providers": listening})) as bot:
        yield bot


async def test_the_transcript_is_shown_and_answered(bot: Bot, model: ScriptedModel) -> None:
    model.transcripts.append("What time is it?\n")
    note = await attached(bot, "voice.ogg", b"OggS\0speech", "audio/ogg")
    assert await bot.hears("", files=[note]) == [
        "> What time is it?",
        "You said: What time is it?",
    ]
    sent = model.requests[0]
    assert sent.path.endswith("/audio/transcriptions")
    for part in (b"OggS\0speech", b"whisper-1", b'filename="voice.ogg"', b"audio/ogg"):
        assert part in sent.content


async def test_a_recording_goes_once_it_is_text(bot: Bot, model: ScriptedModel) -> None:
    model.transcripts.append("Hello")
    note = await attached(bot, "voice.ogg", b"OggS\0", "audio/ogg")
    await bot.hears("Listen:", files=[note])
    assert "not readable" not in str(model.bodies[-1])
    assert model.bodies[-1]["messages"][-1]["content"] == "Listen:\n\nHello"
    assert not Path(note.path).exists()


async def test_a_question_gets_its_answer_and_no_transcript(bot: Bot, model: ScriptedModel) -> None:
    model.transcripts.append("Hello")
    note = await attached(bot, "voice.ogg", b"OggS\0", "audio/ogg")
    assert await bot.hears("", files=[note], question_id="1") == ["You said: Hello"]
    assert (await bot.said("1") or Said("", "")).text == "You said: Hello"


@pytest.mark.parametrize("transcript", ["", "  \n"])
async def test_silence_is_said(bot: Bot, model: ScriptedModel, transcript: str) -> None:
    model.transcripts.append(transcript)
    note = await attached(bot, "voice.ogg", b"OggS\0", "audio/ogg")
    [sentence] = await bot.hears("", files=[note])
    assert "could not make out a word" in sentence


async def test_a_busy_provider_is_asked_again(bot: Bot, model: ScriptedModel) -> None:
    note = await attached(bot, "voice.ogg", b"OggS\0", "audio/ogg")
    await bot.receive("", files=[note])
    await bot.clock.asleep(3)
    model.transcripts.append("Hello")
    bot.clock.advance(1)
    await bot.idle()
    assert bot.says()[-1] == "You said: Hello"


async def test_without_a_listening_provider_the_person_is_told(
    model: ScriptedModel, tmp_path: Path
) -> None:
    async with running(configuration(tmp_path, model.base_url)) as bot:
        note = await attached(bot, "voice.ogg", b"OggS\0", "audio/ogg")
        [sentence] = await bot.hears("", files=[note])
    assert "cannot listen" in sentence
    assert not model.requests
