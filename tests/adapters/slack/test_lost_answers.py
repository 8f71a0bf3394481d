"""Nothing is lost and nothing stands twice, whatever becomes of Slack's answers."""

from __future__ import annotations

import math
import random

import pytest

from adapters.slack.place import Place
from bot.errors import DeliveryError, DeliveryRefused
from bot.messages import Button, Document, ReplyTo
from bot.ports import Sink
from tests.adapters.slack.desk import Desk, buttons_of, desk
from tests.clock import HeldClock
from tests.slack_server import Drop, Fail, Fault, Raw, page

WORDS = "Hello dear world, how are you"
LOST: dict[str, Fault] = {
    "before": Drop(),
    "after": Drop(after=True),
    "proxy": page("Bad gateway"),
    "unreadable": Raw(b"{"),
    "list": Raw(b"[1]"),
    "text": Raw(b"oops", content_type="text/plain"),
    "internal": Fail("internal_error"),
    "fatal": Fail("fatal_error", status=500),
}
METHODS = ("chat.startStream", "chat.appendStream", "chat.stopStream")
EDITED = ("chat.postMessage", "chat.update")


async def insist(sink: Sink, to_say: str, handle: str = "", most: int = 8) -> str:
    """Finish a reply as the core's outbox does: again until it is taken."""
    for _ in range(most):
        try:
            return await sink.finish(0, to_say, handle, buttons=[Button("More", "/more")])
        except DeliveryRefused:
            raise
        except DeliveryError:
            continue
    raise AssertionError("it was never taken")


async def grown(sink: Sink) -> str:
    """Say the words one after the other, dropping what is not taken, as the core's writer does."""
    handle = ""
    words = WORDS.split(" ")
    for most in range(1, len(words) + 1):
        try:
            handle = await sink.show(0, " ".join(words[:most]), handle) or handle
        except DeliveryError:
            continue
    return handle


async def answered(slack: Desk, to: ReplyTo | None = None) -> None:
    """Say the words, and check that they stand once, whole."""
    sink = slack.sink(to)
    handle = await insist(sink, WORDS + ".", await grown(sink))
    await sink.close()
    stands(slack, handle)


def stands(slack: Desk, handle: str) -> None:
    """The answer and its button are there, once, and nothing else."""
    assert slack.seen == [WORDS + "."]
    assert len(buttons_of(slack.message(handle))) == 1
    assert not slack.streaming
    assert slack.message(handle).metadata


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("method", METHODS)
async def test_streamed_answer_stands_once(method: str, fault: Fault, times: int) -> None:
    async with desk() as slack:
        slack.server.fails(method, fault, times=times)
        await answered(slack)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("method", EDITED)
async def test_edited_answer_stands_once(method: str, fault: Fault, times: int) -> None:
    async with desk(streams="nowhere") as slack:
        slack.server.fails(method, fault, times=times)
        await answered(slack)


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
async def test_answer_in_a_channel_stands_once(fault: Fault) -> None:
    async with desk() as slack:
        slack.server.fails("chat.postMessage", fault)
        await answered(slack, slack.reply(Place(slack.general.id, user=slack.ann.id)))


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
async def test_lost_look_up_only_takes_longer(fault: Fault) -> None:
    async with desk(streams="nowhere") as slack:
        slack.server.fails("chat.postMessage", Drop(after=True))
        slack.server.fails("conversations.replies", fault)
        await answered(slack)


async def test_two_streams_in_one_thread_are_never_taken_for_each_other() -> None:
    async with desk() as slack:
        other = slack.sink()
        handle = await other.show(0, "Something", "")
        slack.server.fails("chat.startStream", Drop(after=True))
        sink = slack.sink()
        mine = await insist(sink, WORDS + ".", await grown(sink))
        await other.finish(0, "Something else", handle)
        await sink.close()
        await other.close()
        assert slack.seen == ["Something else", WORDS + "."]
        assert mine != handle


async def test_without_the_right_to_read_an_answer_still_comes() -> None:
    async with desk(streams="nowhere") as slack:
        slack.server.fails("chat.postMessage", Drop())
        slack.server.fails("conversations.replies", Fail("missing_scope"))
        await answered(slack)


# After a crash


async def test_stream_that_an_earlier_run_left_open_is_finished_in_place() -> None:
    async with desk() as slack:
        to = slack.reply()
        handle = await slack.sink(to).show(0, "Hello", "")
        slack.restart()
        sink = slack.sink(to)
        assert await insist(sink, WORDS + ".", handle) == handle
        await sink.close()
        stands(slack, handle)


async def test_stream_whose_handle_was_never_stored_is_taken_over() -> None:
    async with desk() as slack:
        to = slack.reply()
        left = await slack.sink(to).show(0, "Something else", "")
        slack.restart()
        sink = slack.sink(to)
        handle = await sink.show(0, "Hello", "")
        assert handle == left
        assert slack.seen == ["Hello"]
        await insist(sink, WORDS + ".", handle)
        await sink.close()
        stands(slack, handle)


@pytest.mark.parametrize("streams", ["everywhere", "nowhere"])
async def test_answer_that_was_sent_before_the_crash_is_not_sent_again(streams: str) -> None:
    async with desk(streams=streams) as slack:
        to = slack.reply()
        before = slack.sink(to)
        handle = await insist(before, WORDS + ".", await before.show(0, "Hello", ""))
        await before.close()
        slack.restart()
        sink = slack.sink(to)
        assert await insist(sink, WORDS + ".") == handle
        await sink.close()
        stands(slack, handle)


async def test_two_parts_that_were_sent_before_the_crash_are_found_both() -> None:
    async with desk() as slack:
        to = slack.reply()
        before = slack.sink(to)
        handles = [await before.finish(part, f"Part {part}", "") for part in (0, 1)]
        await before.close()
        slack.restart()
        sink = slack.sink(to)
        assert [await sink.finish(part, f"Part {part}", "") for part in (0, 1)] == handles
        await sink.close()
        assert slack.seen == ["Part 0", "Part 1"]


async def test_question_asked_after_the_start_costs_no_look_up() -> None:
    async with desk() as slack:
        slack.restart()
        slack.account.began -= 100
        sink = slack.sink()
        await sink.finish(0, "Hello", "")
        await sink.close()
        assert not slack.calls("conversations.replies")


async def test_question_that_this_run_was_the_first_to_take_costs_no_look_up() -> None:
    async with desk() as slack:
        slack.restart()
        to = slack.reply()
        slack.account.fresh.add((to.conversation.channel, to.origin))
        sink = slack.sink(to)
        await sink.finish(0, "Hello", await sink.show(0, "Hel", ""))
        await sink.close()
        assert not slack.calls("conversations.replies")


async def test_what_others_posted_by_the_same_app_is_never_overwritten() -> None:
    async with desk() as slack:
        to = slack.reply()
        workspace = slack.server.workspace
        workspace.post(slack.general, workspace.bot, "Lunch?", thread_ts=slack.question.ts)
        left = await slack.sink(to).show(0, "Something else", "")
        slack.restart()
        sink = slack.sink(to)
        handle = await insist(sink, WORDS + ".")
        await sink.close()
        assert handle == left
        assert slack.seen == ["Lunch?", WORDS + "."]


async def test_sentence_of_a_command_does_not_take_the_place_of_a_stream_that_was_left() -> None:
    async with desk() as slack:
        to = slack.reply()
        left = await slack.sink(to).show(0, "Something else", "")
        slack.restart()
        command = slack.sink(slack.reply(answer=False))
        await command.finish(0, "Stopped.", "")
        await command.close()
        sink = slack.sink(to)
        await insist(sink, WORDS + ".", left)
        await sink.close()
        assert slack.seen == [WORDS + ".", "Stopped."]


async def test_taking_over_a_stream_survives_that_slacks_answer_is_lost() -> None:
    async with desk() as slack:
        to = slack.reply()
        left = await slack.sink(to).show(0, "Something else", "")
        slack.restart()
        slack.server.fails("chat.stopStream", Drop(after=True))
        sink = slack.sink(to)
        assert await insist(sink, WORDS + ".") == left
        await sink.close()
        stands(slack, left)


async def test_answer_of_an_earlier_question_is_not_taken_for_a_stream_that_was_left() -> None:
    async with desk() as slack:
        first = slack.sink()
        await first.finish(0, "First", await first.show(0, "First", ""))
        await first.attach(Document("loss.png", "image/png", b"png"))
        await first.close()
        slack.restart()
        sink = slack.sink()
        await sink.finish(0, "Second", "")
        await sink.close()
        assert [each for each in slack.seen if each] == ["First", "Second"]


# Refusals that pass


@pytest.mark.parametrize("method", [*METHODS, *EDITED])
@pytest.mark.parametrize("seconds", [2, 3600])
async def test_wait_that_slack_asks_for_is_waited_told_or_avoided(
    method: str, seconds: int
) -> None:
    clock = HeldClock()
    async with desk(clock, streams="everywhere" if method in METHODS else "nowhere") as slack:
        slack.account.wordless[slack.general.id] = math.inf  # its waits would move the clock
        sink = slack.sink()
        slack.server.fails(method, Fail(retry_after=seconds))
        handle = await grown(sink)
        waits: list[float | None] = []
        try:
            handle = await sink.finish(0, WORDS + ".", handle)
        except DeliveryError as error:
            waits.append(error.retry_after)
            clock.advance(seconds)
            handle = await sink.finish(0, WORDS + ".", handle)
        assert waits in ([], [seconds])
        await sink.close()
        assert slack.seen == [WORDS + "."]
        assert not slack.streaming


async def test_token_that_slack_does_not_know_is_waited_out() -> None:
    async with desk() as slack:
        slack.server.fails("chat.postMessage", Fail("invalid_auth"))
        sink = slack.sink()
        with pytest.raises(DeliveryError, match="SLACK_BOT_TOKEN") as raised:
            await sink.finish(0, "Hello", "")
        await sink.close()
        assert raised.value.retry_after
        assert not isinstance(raised.value, DeliveryRefused)
        assert slack.server.tokens.bot not in str(raised.value)


# Files


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_file_arrives_once(method: str, fault: Fault) -> None:
    async with desk() as slack:
        slack.server.fails(method, fault)
        sink = slack.sink()
        document = Document("loss <!here>.png", "image/png", b"png")
        with pytest.raises(DeliveryError):
            await sink.attach(document)
        await sink.attach(document)
        await sink.close()
        messages = slack.server.workspace.messages(slack.general, slack.question.ts)
        [file] = [file for message in messages for file in message.files]
        assert file.content == b"png"
        assert not slack.server.workspace.pings


async def test_file_that_was_sent_before_the_crash_is_not_sent_again() -> None:
    async with desk() as slack:
        to, document = slack.reply(), Document("loss.png", "image/png", b"png")
        for _ in range(2):
            sink = slack.sink(to)
            await sink.attach(document)
            await sink.close()
            slack.restart()
        assert slack.calls("files.completeUploadExternal") == 1


async def test_empty_file_is_refused_in_a_sentence() -> None:
    async with desk() as slack:
        sink = slack.sink()
        with pytest.raises(DeliveryRefused, match=r"a\.txt is empty"):
            await sink.attach(Document("a.txt", "text/plain", b""))
        await sink.close()


# All of it at once


@pytest.mark.parametrize("seed", range(24))
async def test_in_a_storm_an_answer_stands_once(seed: int) -> None:
    chance = random.Random(seed)
    faults = [*LOST.values(), Fail(retry_after=1)]
    calls = [*METHODS, *EDITED, "conversations.replies", "auth.test"]
    clock = HeldClock()
    async with desk(clock, streams=chance.choice(["everywhere", "nowhere"])) as slack:
        slack.account.wordless[slack.general.id] = math.inf
        for _ in range(chance.randrange(1, 9)):
            slack.server.fails(chance.choice(calls), chance.choice(faults))
        to = slack.reply()
        handle = ""
        for _ in range(chance.randrange(3)):
            before = slack.sink(to)
            stored = await grown(before)
            handle = chance.choice([handle, stored])
            slack.restart()
            slack.account.wordless[slack.general.id] = math.inf
        sink = slack.sink(to)
        handle = await insist(sink, WORDS + ".", handle or await grown(sink), most=30)
        await sink.close()
        assert slack.seen == [WORDS + "."]
        assert not slack.streaming
