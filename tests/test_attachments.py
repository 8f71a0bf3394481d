"""What people attach reaches the model as far as it can read or see it, and goes when it must."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attachments import MOST_BYTES, sized, text_of, told
from bot.messages import Attachment, ConversationId
from tests.fakes import Bot, configuration, running
from tests.scripted_model import ScriptedModel

PNG = b"\x89PNG\r\n\x1a\n"


async def attached(bot: Bot, name: str, content: bytes, media_type: str) -> Attachment:
    """A file as an adapter puts it down."""
    path = (await bot.adapter.core).files / os.urandom(8).hex()
    path.write_bytes(content)
    os.utime(path, (bot.clock.now(), bot.clock.now()))
    return Attachment(name, media_type, str(path), len(content))


async def test_a_text_file_is_read_out_below_the_question(bot: Bot, model: ScriptedModel) -> None:
    notes = await attached(bot, "notes.md", b"Dent, Arthur\n```\ncode\n```\n", "text/markdown")
    await bot.hears("Who is it?", files=[notes])
    assert model.bodies[0]["messages"][-1]["content"] == (
        "Who is it?\n\nThe file notes.md:\n````\nDent, Arthur\n```\ncode\n```\n````"
    )


async def test_history_has_the_question_as_it_was_written_and_names_its_file(bot: Bot) -> None:
    notes = await attached(bot, "notes.md", b"Dent", "text/markdown")
    await bot.hears("Who is it?", files=[notes])
    core = await bot.adapter.core
    question = (await core.history(ConversationId("fake", "general")))[0]
    assert (question.text, question.attachments) == ("Who is it?", (notes,))


async def test_a_file_is_read_again_with_every_turn(bot: Bot, model: ScriptedModel) -> None:
    notes = await attached(bot, "notes.md", b"Dent, Arthur", "text/markdown")
    await bot.hears("Who is it?", files=[notes])
    await bot.hears("And his first name?")
    assert "Dent, Arthur" in str(model.bodies[1])


async def test_a_picture_is_shown_to_a_model_that_sees(
    model: ScriptedModel, tmp_path: Path
) -> None:
    config = configuration(tmp_path, model.base_url)
    seeing = {"assistant": replace(config.profile, vision=True)}
    async with running(config.model_copy(update={"profiles": seeing})) as bot:
        photo = await attached(bot, "photo.png", PNG, "image/png")
        await bot.hears("What is it?", files=[photo])
    assert model.bodies[0]["messages"][-1]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]


async def test_a_picture_is_named_to_a_model_that_does_not_see(
    bot: Bot, model: ScriptedModel
) -> None:
    await bot.hears("", files=[await attached(bot, "photo.png", PNG + b"\0", "image/png")])
    said = model.bodies[0]["messages"][-1]["content"]
    assert said == "[The file photo.png, image/png, 9 bytes: not readable here]"


async def test_forget_deletes_files_from_the_disk(bot: Bot) -> None:
    mine = await attached(bot, "mine.txt", b"mine", "text/plain")
    theirs = await attached(bot, "theirs.txt", b"theirs", "text/plain")
    await bot.hears("hi", files=[mine])
    await bot.hears("hi", files=[theirs], person="bob")
    await bot.hears("/forget")
    assert not Path(mine.path).exists()
    assert Path(theirs.path).exists()


async def test_deleting_a_conversation_deletes_its_files(bot: Bot) -> None:
    mine = await attached(bot, "mine.txt", b"mine", "text/plain")
    await bot.hears("hi", files=[mine])
    core = await bot.adapter.core
    await core.delete(ConversationId("fake", "general"))
    assert not Path(mine.path).exists()


async def test_a_file_whose_message_never_came_is_swept_away_after_a_day(bot: Bot) -> None:
    left = await attached(bot, "left.txt", b"left", "text/plain")
    kept = await attached(bot, "kept.txt", b"kept", "text/plain")
    await bot.hears("hi", files=[kept])
    await bot.clock.asleep(2)  # what is done at the start is done
    now = bot.clock.now()
    for path, age in ((left.path, 3600), (kept.path, 200_000)):
        os.utime(path, (now - age, now - age))
    bot.clock.advance(3601)
    await bot.clock.asleep(2)  # the pruning is done
    assert Path(left.path).exists(), "its message may still come"
    bot.clock.advance(86_400)
    await bot.clock.asleep(2)
    assert not Path(left.path).exists()
    assert Path(kept.path).exists()


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=200))
def test_what_fits_is_read_whole_and_never_breaks_out_of_its_fence(text: str) -> None:
    content = f"{text}`".encode()
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        said = told(Attachment("a.txt", "text/plain", file.name, len(content)))
    fence = said.splitlines()[1]
    inside = said.removeprefix(f"The file a.txt:\n{fence}\n").removesuffix(f"\n{fence}")
    assert fence not in inside
    assert inside == content.decode("utf-8-sig").rstrip()


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"\xef\xbb\xbfhi", "hi"),
        (b"\xff\xfeh\x00i\x00", None),
        (b"caf\xe9", None),
        ("é".encode() * MOST_BYTES, "é" * (MOST_BYTES // 2)),
        (b"x" + "é".encode() * MOST_BYTES, "x" + "é" * ((MOST_BYTES - 1) // 2)),
        (b"", ""),
    ],
)
def test_only_text_is_read_and_a_character_is_never_cut(
    tmp_path: Path, content: bytes, read: str | None
) -> None:
    (tmp_path / "a").write_bytes(content)
    file = Attachment("a", "text/plain", str(tmp_path / "a"), len(content))
    assert text_of(file) == read


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    gone = Attachment("a.txt", "text/plain", str(tmp_path / "gone"), 2_500_000)
    assert "a.txt, text/plain, 2.5 MB: not readable" in told(gone)
    assert sized(12_345) == "12 kB"
