"""What is private is seen by who asked, and by nobody else."""

from __future__ import annotations

import pytest

from adapters.slack.blocks import Says, pressed
from adapters.slack.place import Place
from bot.errors import DeliveryError, DeliveryRefused
from bot.messages import Button, Document
from tests.adapters.slack.desk import Desk, buttons_of, desk
from tests.clock import StoppedClock
from tests.slack_server import Channel, Fail


def whispers(slack: Desk, channel: Channel | None = None) -> list[str]:
    """What Ann alone sees."""
    return [message.seen for message in slack.server.workspace.ephemeral(slack.ann, channel)]


async def test_private_answer_is_seen_by_who_asked_alone() -> None:
    async with desk() as slack:
        sink = slack.sink(slack.reply(private=True))
        await sink.ready()
        assert await sink.show(0, "Your", "") == ""
        handle = await sink.finish(0, "Your **key** <!here>", "", buttons=[Button("Go", "/go")])
        assert await sink.finish(0, "Your **key** <!here>", handle) == handle
        await sink.close()
        assert whispers(slack, slack.general) == ["Your **key** <!here>"]
        assert slack.seen == []
        [message] = slack.server.workspace.ephemeral(slack.ann)
        assert message.thread_ts == slack.question.ts
        [button] = buttons_of(message)
        assert pressed(button) == Says("/go", slack.ann.id, slack.question.ts)


async def test_long_private_answer_comes_in_several_messages_each_once() -> None:
    async with desk() as slack:
        sink = slack.sink(slack.reply(private=True))
        text = "<a>&\n" * 1_700
        slack.server.fails("chat.postEphemeral", Fail(retry_after=60))
        with pytest.raises(DeliveryError):
            await sink.finish(0, text, "")
        slack.clock.advance(60)  # type: ignore[attr-defined]  # it is a StoppedClock
        await sink.finish(0, text, "")
        await sink.close()
        assert "".join(whispers(slack)).count("<a>&") == 1_700
        assert len(whispers(slack)) > 1


async def test_in_direct_messages_nothing_needs_to_be_hidden() -> None:
    async with desk() as slack:
        direct = slack.server.workspace.im(slack.ann)
        sink = slack.sink(
            slack.reply(Place(direct.id, user=slack.ann.id, direct=True), private=True)
        )
        await sink.finish(0, "Your key", "")
        await sink.attach(Document("key.txt", "text/plain", b"key"))
        await sink.close()
        assert slack.server.workspace.visible(direct)[0] == "Your key"
        assert whispers(slack) == []


async def test_where_the_bot_is_not_it_writes_to_the_person() -> None:
    async with desk() as slack:
        secret = slack.server.workspace.channel("secret", [slack.ann], with_bot=False)
        sink = slack.sink(slack.reply(Place(secret.id, user=slack.ann.id), private=True))
        await sink.finish(0, "Your key", "")
        await sink.close()
        assert slack.server.workspace.visible(slack.server.workspace.im(slack.ann)) == ["Your key"]


async def test_private_file_goes_to_the_direct_messages() -> None:
    async with desk() as slack:
        sink = slack.sink(slack.reply(private=True))
        await sink.attach(Document("key.txt", "text/plain", b"key"))
        await sink.close()
        direct = slack.server.workspace.im(slack.ann)
        [message] = slack.server.workspace.messages(direct)
        assert [file.content for file in message.files] == [b"key"]
        assert slack.server.workspace.messages(slack.general) == [slack.question]


async def test_command_is_answered_by_its_response_url_while_that_is_good() -> None:
    clock = StoppedClock()
    async with desk(clock) as slack:
        secret = slack.server.workspace.channel("secret", [slack.ann], with_bot=False)
        url, _ = slack.server.delivery.responses.give(secret, slack.ann)
        place = Place(secret.id, user=slack.ann.id, response_url=url, asked=clock.now())
        text = "# Key\n\n[<!here>](!channel) [docs](https://a.com/?b&c) a < b"
        for _ in range(6):
            sink = slack.sink(slack.reply(place, private=True))
            await sink.finish(0, text, "", buttons=[Button("Go", "/go")])
            await sink.close()
        assert len(whispers(slack, secret)) == 5
        first = slack.server.workspace.ephemeral(slack.ann, secret)[0]
        assert len(buttons_of(first)) == 1
        assert first.blocks[0]["text"]["text"] == (
            "*Key*\n\n[&lt;!here&gt;] (!channel) <https://a.com/?b&amp;c|docs> a &lt; b"
        )
        assert len(slack.server.workspace.messages(slack.server.workspace.im(slack.ann))) == 1


@pytest.mark.parametrize("text", ["a > " * 2_000, "&" * 1_500, "- a\n" * 2_000])
async def test_whatever_is_long_fits_a_response_url(text: str) -> None:
    clock = StoppedClock()
    async with desk(clock) as slack:
        url, given = slack.server.delivery.responses.give(slack.general, slack.ann)
        place = Place(slack.general.id, user=slack.ann.id, response_url=url, asked=clock.now())
        sink = slack.sink(slack.reply(place, private=True))
        await sink.finish(0, text, "")
        await sink.close()
        assert given.left < 5
        assert not slack.calls("chat.postEphemeral")
        seen = "".join(whispers(slack))
        assert seen.count("a") + seen.count(">") + seen.count("&") >= 500


async def test_response_url_that_is_too_old_is_not_tried() -> None:
    clock = StoppedClock()
    async with desk(clock) as slack:
        url, given = slack.server.delivery.responses.give(slack.general, slack.ann)
        place = Place(slack.general.id, user=slack.ann.id, response_url=url, asked=clock.now())
        clock.advance(1_790)
        sink = slack.sink(slack.reply(place, private=True))
        await sink.finish(0, "Your key", "")
        await sink.close()
        assert given.left == 5
        assert whispers(slack) == ["Your key"]


async def test_person_who_is_gone_is_said_in_a_sentence() -> None:
    async with desk() as slack:
        sink = slack.sink(slack.reply(private=True))
        slack.server.fails("chat.postEphemeral", Fail("user_not_found"))
        with pytest.raises(DeliveryRefused, match="Slack refuses"):
            await sink.finish(0, "Your key", "")
        await sink.close()
