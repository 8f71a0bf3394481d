"""A reply grows in its thread as Slack lets it, and its whole text stands in the end."""

from __future__ import annotations

import pytest

from adapters.slack.blocks import Opinion, Says, Stop, pressed
from adapters.slack.place import Place
from bot.errors import DeliveryError, DeliveryRefused
from bot.messages import Button, Document
from tests.adapters.slack.desk import buttons_of, desk
from tests.clock import StoppedClock
from tests.slack_server import Drop, Fail


async def test_answer_grows_as_one_stream_and_stands_whole() -> None:
    async with desk() as slack:
        sink = slack.sink()
        handle = await sink.show(0, "Hello", "")
        assert await sink.show(0, "Hello dear", handle) == handle
        assert slack.seen == ["Hello dear"]
        assert len(slack.streaming) == 1
        assert await sink.finish(0, "Hello dear world.", handle) == handle
        await sink.close()
        assert slack.seen == ["Hello dear world."]
        assert slack.message(handle).thread_ts == slack.question.ts
        assert not slack.streaming
        assert [slack.calls(f"chat.{each}Stream") for each in ("start", "append", "stop")] == [
            1
        ] * 3
        assert not slack.calls("chat.update")


async def test_answer_that_was_not_shown_is_one_message() -> None:
    async with desk() as slack:
        sink = slack.sink()
        await sink.finish(0, "Hello **you**", "")
        await sink.close()
        assert slack.seen == ["Hello **you**"]
        assert len(slack.server.workspace.calls) == 1


async def test_text_that_does_not_go_on_takes_the_place_of_what_was_shown() -> None:
    async with desk() as slack:
        sink = slack.sink()
        handle = await sink.show(0, "One moment", "")
        assert await sink.show(0, "Hello", handle) == handle
        assert slack.seen == ["Hello"]
        assert await sink.finish(0, "Hello you", handle) == handle
        await sink.close()
        assert slack.seen == ["Hello you"]


async def test_nothing_stands_before_anything_can_be_seen() -> None:
    async with desk() as slack:
        sink = slack.sink()
        assert await sink.show(0, "]", "") == ""
        assert slack.seen == []
        handle = await sink.show(0, "] is a bracket", "")
        await sink.finish(0, "] is a bracket.", handle)
        await sink.close()
        assert slack.seen == ["] is a bracket."]
        assert slack.calls("chat.stopStream") == 1


async def test_sentence_about_a_wait_is_never_streamed() -> None:
    async with desk() as slack:
        sink = slack.sink()
        assert await sink.show(0, "The model is busy.", "", waiting=True) == ""
        assert slack.seen == []
        await sink.finish(0, "Hello", "")
        await sink.close()
        assert slack.seen == ["Hello"]


@pytest.mark.parametrize("error", ["channel_type_not_supported", "missing_scope", "unknown_method"])
async def test_where_streams_are_refused_an_answer_grows_by_edits(error: str) -> None:
    async with desk() as slack:
        slack.server.fails("chat.startStream", Fail(error))
        sink = slack.sink()
        handle = await sink.show(0, "Hello", "")
        assert await sink.show(0, "Hello dear", handle) == handle
        assert slack.seen == ["Hello dear"]
        [button] = buttons_of(slack.message(handle))
        assert isinstance(pressed(button), Stop)
        await sink.finish(0, "Hello dear world.", handle)
        await sink.close()
        assert slack.seen == ["Hello dear world."]
        assert not buttons_of(slack.message(handle))
        other = slack.sink()
        await other.show(0, "Hi", "")
        await other.close()
        assert slack.calls("chat.startStream") == 1, "it is not tried at every answer"


async def test_in_a_channel_without_a_thread_an_answer_grows_by_edits() -> None:
    async with desk() as slack:
        sink = slack.sink(slack.reply(Place(slack.general.id, user=slack.ann.id)))
        handle = await sink.show(0, "Hello", "")
        await sink.finish(0, "Hello you", handle)
        await sink.close()
        assert slack.seen == ["Hello you"]
        assert not slack.message(handle).in_thread
        assert not slack.calls("chat.startStream")


async def test_direct_messages_are_streamed_too() -> None:
    async with desk(streams="im") as slack:
        direct = slack.server.workspace.im(slack.ann)
        asked = slack.server.workspace.post(direct, slack.ann, "Hi")
        place = Place(direct.id, asked.ts, user=slack.ann.id, message=asked.ts, direct=True)
        sink = slack.sink(slack.reply(place))
        handle = await sink.show(0, "Hello", "")
        await sink.finish(0, "Hello you", handle)
        await sink.close()
        assert slack.server.workspace.visible(direct) == ["Hello you"]
        assert slack.calls("chat.stopStream") == 1


async def test_stream_that_grows_old_goes_on_by_edits() -> None:
    clock = StoppedClock()
    async with desk(clock) as slack:
        sink = slack.sink()
        handle = await sink.show(0, "Hello", "")
        clock.advance(241)
        assert await sink.show(0, "Hello dear", handle) == handle
        assert not slack.streaming
        clock.advance(600)
        await sink.show(0, "Hello dear world", handle)
        await sink.finish(0, "Hello dear world.", handle)
        await sink.close()
        assert slack.seen == ["Hello dear world."]


async def test_stream_that_slack_ended_goes_on_by_edits() -> None:
    async with desk() as slack:
        sink = slack.sink()
        handle = await sink.show(0, "Hello", "")
        slack.server.fails("chat.appendStream", Fail("message_not_in_streaming_state"))
        stream = slack.message(handle).stream
        assert stream
        stream.open = False
        assert await sink.show(0, "Hello dear", handle) == handle
        assert slack.seen == ["Hello dear"]
        await sink.finish(0, "Hello dear world.", handle)
        await sink.close()
        assert slack.seen == ["Hello dear world."]


async def test_stream_that_expired_before_its_end_stands_whole() -> None:
    clock = StoppedClock()
    async with desk(clock) as slack:
        sink = slack.sink()
        handle = await sink.show(0, "Hello", "")
        clock.advance(400)
        assert await sink.finish(0, "Hello you", handle) == handle
        await sink.close()
        assert slack.seen == ["Hello you"]


async def test_person_who_stops_a_stream_is_heard_and_the_text_stays() -> None:
    async with desk() as slack:
        to = slack.reply()
        sink = slack.sink(to)
        handle = await sink.show(0, "Hello", "")
        slack.server.workspace.stop_stream(slack.message(handle), slack.ann)
        for text in ("Hello dear", "Hello dear world"):
            assert await sink.show(0, text, handle) == handle
        assert slack.stopped == [to]
        assert slack.seen == ["Hello"]
        await sink.finish(0, "Hello dear\n\n_(stopped)_", handle)
        await sink.close()
        assert slack.seen == ["Hello dear\n\n_(stopped)_"]


async def test_part_that_is_too_long_for_slack_stands_in_several_messages() -> None:
    async with desk() as slack:
        slack.server.lengths.stream = 2_000
        text = " ".join(f"word{n}" for n in range(800))
        sink = slack.sink()
        handle = ""
        for most in (500, 1_500, 2_500, 4_000):
            handle = await sink.show(0, text[:most], handle) or handle
        handle = await sink.finish(0, text, handle)
        assert await sink.finish(0, text, handle) == handle
        await sink.close()
        assert " ".join(slack.seen).split() == text.split()
        assert len(slack.seen) == len(handle.split("+")) > 1
        assert not slack.streaming


async def test_escaping_never_makes_a_part_too_long() -> None:
    async with desk() as slack:
        text = "```html\n" + "<a>&</a>\n" * 940
        sink = slack.sink()
        handle = await sink.finish(0, text, await sink.show(0, text[:4_000], ""))
        await sink.close()
        assert "".join(slack.seen).count("<a>&</a>") == 940
        assert all(each.count("```") == 2 for each in slack.seen[:-1])
        assert len(handle.split("+")) == len(slack.seen) == 2


async def test_parts_stand_in_order_and_no_stream_stays_open() -> None:
    async with desk() as slack:
        sink = slack.sink()
        first = await sink.show(0, "Alpha", "")
        second = await sink.show(1, "Beta", "")
        assert len(slack.streaming) == 1
        await sink.finish(0, "Alpha", first)
        await sink.finish(1, "Beta.", second)
        await sink.close()
        assert slack.seen == ["Alpha", "Beta."]
        assert not slack.streaming


async def test_reply_that_is_given_up_leaves_no_stream_open() -> None:
    async with desk() as slack:
        sink = slack.sink()
        await sink.show(0, "Hello", "")
        await sink.close()
        await sink.close()
        assert slack.seen == ["Hello"]
        assert not slack.streaming


async def test_what_an_earlier_run_half_showed_can_be_taken_away() -> None:
    async with desk() as slack:
        to = slack.reply()
        before = slack.sink(to)
        handles = [await before.show(part, f"Part {part}", "") for part in (0, 1)]
        slack.restart()
        sink = slack.sink(to)
        await sink.finish(0, "Short", handles[0])
        await sink.retract(handles[1])
        await sink.close()
        assert slack.seen == ["Short"]
        assert not slack.streaming


async def test_buttons_say_who_may_press_them_and_what_they_say() -> None:
    async with desk() as slack:
        sink = slack.sink()
        handle = await sink.finish(
            0, "Start?", "", buttons=[Button("Start <!here>", "/yes"), Button("Cancel", "/no")]
        )
        await sink.close()
        found = buttons_of(slack.message(handle))
        assert [pressed(each) for each in found] == [
            Says(says, slack.ann.id, slack.question.ts) for says in ("/yes", "/no")
        ]
        assert found[0]["text"]["text"] == "Start ‹!here›"
        assert not slack.server.workspace.pings


async def test_opinions_are_asked_for_below_the_last_part_of_what_grew() -> None:
    async with desk() as slack:
        sink = slack.sink()
        await sink.ready()
        handles = []
        for part, text in enumerate(("Alpha", "Beta")):
            handles.append(await sink.show(part, text, ""))
        for part, text in enumerate(("Alpha", "Beta.")):
            await sink.finish(part, text, handles[part])
        await sink.close()
        first, last = (slack.message(handle) for handle in handles)
        assert not buttons_of(first)
        [thumbs] = [block for block in last.blocks if block["type"] == "context_actions"]
        [element] = thumbs["elements"]
        good = pressed({**element, "value": element["positive_button"]["value"]})
        assert good == Opinion(1)
        assert good.handle(last.ts) == handles[1]


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update", "chat.stopStream"])
async def test_markdown_that_slack_cannot_read_is_shown_as_it_was_written(method: str) -> None:
    async with desk() as slack:
        sink = slack.sink()
        handle = "" if method == "chat.postMessage" else await sink.show(0, "**Hello", "")
        slack.server.fails(method, Fail("invalid_blocks"))
        if method == "chat.update":
            slack.server.fails("chat.stopStream", Fail("message_not_in_streaming_state"))
            stream = slack.message(handle).stream
            assert stream
            stream.open = False
        handle = await sink.finish(0, "**Hello** <you>", handle)
        await sink.close()
        assert slack.seen == ["**Hello** <you>"]
        assert not slack.streaming


async def test_stream_that_can_be_neither_stopped_nor_edited_is_waited_for() -> None:
    async with desk() as slack:
        to = slack.reply()
        handle = await slack.sink(to).show(0, "Hello", "")
        slack.restart()
        slack.server.fails("chat.stopStream", Fail("messaging_processing_failed_badly"))
        sink = slack.sink(to)
        with pytest.raises(DeliveryError) as told:
            await sink.finish(0, "Hello you", handle)
        assert told.value.retry_after == 60
        assert await sink.finish(0, "Hello you", handle) == handle
        await sink.close()
        assert slack.seen == ["Hello you"]


async def test_command_where_the_bot_is_not_is_answered_to_who_gave_it() -> None:
    clock = StoppedClock()
    async with desk(clock) as slack:
        secret = slack.server.workspace.channel("secret", [slack.ann], with_bot=False)
        url, _ = slack.server.delivery.responses.give(secret, slack.ann)
        place = Place(secret.id, user=slack.ann.id, response_url=url, asked=clock.now())
        sink = slack.sink(slack.reply(place))
        handle = await sink.finish(0, "No jobs.", "")
        assert await sink.finish(0, "No jobs.", handle) == handle
        await sink.attach(Document("jobs.txt", "text/plain", b"none"))
        await sink.close()
        assert [message.seen for message in slack.server.workspace.ephemeral(slack.ann)] == [
            "No jobs."
        ]
        [message] = slack.server.workspace.messages(slack.server.workspace.im(slack.ann))
        assert [file.name for file in message.files] == ["jobs.txt"]


async def test_status_is_seen_until_the_answer_is() -> None:
    clock = StoppedClock()
    async with desk(clock) as slack:
        workspace = slack.server.workspace
        sink = slack.sink()
        await clock.asleep()
        clock.advance(1)
        await workspace.until(lambda: workspace.status(slack.general, slack.question.ts))
        await sink.show(0, "Hello", "")
        await sink.close()
        assert workspace.status(slack.general, slack.question.ts) == ""


async def test_status_that_is_refused_is_not_tried_again_for_a_while() -> None:
    clock = StoppedClock()
    async with desk(clock) as slack:
        slack.server.fails("assistant.threads.setStatus", Fail("missing_scope"))
        for _ in range(2):
            sink = slack.sink()
            await clock.asleep()
            clock.advance(1)
            if not slack.account.wordless:
                await clock.asleep()
            await sink.finish(0, "Hello", "")
            await sink.close()
        assert slack.calls("assistant.threads.setStatus") == 1


@pytest.mark.parametrize(
    "error", ["channel_not_found", "is_archived", "not_in_channel", "account_inactive"]
)
async def test_channel_that_is_lost_is_said_in_a_sentence(error: str) -> None:
    async with desk() as slack:
        slack.server.fails("chat.postMessage", Fail(error))
        sink = slack.sink()
        with pytest.raises(DeliveryRefused, match="Slack"):
            await sink.finish(0, "Hello", "")
        await sink.close()


async def test_message_that_somebody_deleted_stands_again() -> None:
    async with desk() as slack:
        sink = slack.sink()
        handle = await sink.finish(0, "Hello", "")
        slack.server.workspace.delete(slack.message(handle))
        again = await sink.finish(0, "Hello you", handle)
        await sink.close()
        assert again != handle
        assert slack.seen == ["Hello you"]


async def test_message_that_stands_again_does_so_once() -> None:
    async with desk() as slack:
        to = slack.reply()
        sink = slack.sink(to)
        handle = await sink.finish(0, "Hello", "")
        slack.server.workspace.delete(slack.message(handle))
        slack.server.fails("chat.postMessage", Drop(after=True))
        with pytest.raises(DeliveryError):
            await sink.finish(0, "Hello you", handle)
        again = await sink.finish(0, "Hello you", handle)
        await sink.close()
        slack.restart()
        later = slack.sink(to)
        assert await later.finish(0, "Hello you", handle) == again
        await later.close()
        assert slack.seen == ["Hello you"]


async def test_part_that_nothing_is_left_of_is_taken_away() -> None:
    async with desk() as slack:
        sink = slack.sink()
        first = await sink.show(0, "Alpha", "")
        second = await sink.show(1, "Beta", "")
        await sink.finish(0, "Alpha", first)
        await sink.retract(second)
        await sink.close()
        assert slack.seen == ["Alpha"]
