"""Slash commands, the home tab, reactions and Slack's own Stop, with the real slack-bolt."""

from __future__ import annotations

import asyncio

import pytest

from adapters.slack.asking import INVITE
from bot.errors import StoreBusy
from bot.messages import ConversationId, IncomingMessage, Receipt
from bot.ports import Adapter, Sink
from tests.adapters.slack.conftest import Core, Make, read, running, texts
from tests.slack_server import Drop, Fail, Hang
from tests.slack_server.people import Person
from tests.slack_server.slack import Slack
from tests.slack_server.values import Channel, Message


@pytest.fixture
def ann(slack: Slack) -> Person:
    return slack.person("ann")


@pytest.fixture
def general(slack: Slack, ann: Person) -> Channel:
    return slack.workspace.channel("general", [ann.user])


def told(slack: Slack, person: Person) -> list[str]:
    """What only that person sees."""
    return [message.seen for message in slack.workspace.ephemeral(person.user)]


def bots(slack: Slack, channel: Channel) -> list[Message]:
    """What the bot has posted there."""
    return [message for message in slack.workspace.messages(channel) if message.bot_id]


# Slash commands


@pytest.mark.parametrize(
    ("command", "text", "heard"),
    [
        ("/tunebot", "model support", "/model support"),
        ("/tunebot", "/model x", "/model x"),
        ("/finetune", "start a.jsonl gpt-4o-mini", "/finetune start a.jsonl gpt-4o-mini"),
        ("/finetune", "/finetune start a b", "/finetune start a b"),
    ],
)
async def test_a_slash_command_is_a_command_in_its_channel(
    slack: Slack,
    adapter: Adapter,
    ann: Person,
    general: Channel,
    command: str,
    text: str,
    heard: str,
) -> None:
    async with running(adapter) as core:
        ann.slash(command, text, general)
        await core.heard(heard)
        (message,) = core.received
        assert message.conversation == ConversationId("slack", general.id)
        assert message.person.id == f"slack:{ann.id}"
        assert message.person.name == "Ann"
        assert "response_url" in message.origin
        await read(slack, core)


async def test_a_question_is_posted_and_answered_in_its_thread(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        ann.slash("/tunebot", "what is <!channel> love? &lt;3", general)
        await core.heard("what is <!channel> love? <3")
        await core.idle(core.received[0].conversation)
        root, answer = bots(slack, general)
        assert root.seen == "Ann asked:\nwhat is <!channel> love? <3"
        assert core.received[0].conversation == ConversationId("slack", general.id, root.ts)
        assert answer.thread == root.ts
        assert "You said: what is" in answer.seen
        assert not slack.workspace.pings


async def test_a_question_where_the_bot_is_not_asks_for_an_invitation(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    secret = slack.workspace.channel("secret", [ann.user], kind="private", with_bot=False)
    async with running(adapter) as core:
        ann.slash("/tunebot", "what is love?", secret)
        await read(slack, core)
        assert told(slack, ann) == [INVITE]
        assert not core.received


@pytest.mark.parametrize(
    ("command", "begins", "offered"),
    [
        ("/tunebot", "Type `/tunebot` and your question", "`/tunebot model [NAME]`"),
        ("/finetune", "Type one of these", "`/finetune start FILE MODEL`"),
    ],
)
async def test_a_slash_command_alone_is_helped_in_private(
    slack: Slack,
    adapter: Adapter,
    ann: Person,
    general: Channel,
    command: str,
    begins: str,
    offered: str,
) -> None:
    async with running(adapter) as core:
        ann.slash(command, " ", general)
        await read(slack, core)
        await slack.workspace.until(lambda: told(slack, ann))
        (help_,) = told(slack, ann)
        assert help_.startswith(begins)
        assert offered in help_
        assert not slack.workspace.visible(general)


async def test_a_stranger_is_told_so_and_nothing_is_posted(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        core.strangers.add(f"slack:{ann.id}")
        for text in ("what is love?", "/model x", ""):
            ann.slash("/tunebot", text, general)
        await read(slack, core)
        await slack.workspace.until(lambda: len(told(slack, ann)) == 3)
        assert all(f"'slack:{ann.id}'" in each for each in told(slack, ann))
        assert not core.received
        assert not slack.workspace.visible(general)


async def test_slash_commands_may_have_other_names(
    slack: Slack, make: Make, ann: Person, general: Channel
) -> None:
    async with running(make(command="/ask", finetune_command="/tune")) as core:
        ann.slash("/tune", "start a b", general)
        ann.slash("/ask", "model x", general)
        await read(slack, core)
        assert sorted(texts(core)) == ["/finetune start a b", "/model x"]


async def test_a_question_whose_posting_got_lost_is_posted_once(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    slack.fails("chat.postMessage", Drop(after=True))
    async with running(adapter) as core:
        ann.slash("/tunebot", "what is love?", general)
        await core.heard("what is love?")
        assert [each.seen for each in bots(slack, general)].count("Ann asked:\nwhat is love?") == 1


async def test_a_question_that_slack_does_not_take_is_told_in_private(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    slack.fails("chat.postMessage", Fail("restricted_action"))
    async with running(adapter) as core:
        ann.slash("/tunebot", "what is love?", general)
        await read(slack, core)
        await slack.workspace.until(lambda: told(slack, ann))
        assert "settings of this Slack workspace" in told(slack, ann)[0]
        assert not core.received


async def test_a_full_store_posts_a_question_once(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    core = Core(adapter)
    core.failures = [StoreBusy("The database is busy.")] * 2
    async with running(adapter, core=core):
        ann.slash("/tunebot", "what is love?", general)
        await core.heard("what is love?")
        roots = [each for each in bots(slack, general) if "asked" in each.seen]
        assert len(roots) == 1
        assert core.received[0].conversation.thread == roots[0].ts


class CrashingCore(Core):
    """Never comes to the end of committing a message."""

    async def receive(self, message: IncomingMessage) -> Receipt:  # noqa: ARG002  it is lost
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_crash_after_posting_asks_in_the_thread_that_stands(
    slack: Slack, make: Make, ann: Person, general: Channel
) -> None:
    first = make()
    async with running(first, core=CrashingCore(first)) as core:
        ann.slash("/tunebot", "what is love?", general)
        await slack.workspace.until(lambda: bots(slack, general))
    (left,) = core.shelf.values()
    second = make()
    again = Core(second)
    again.shelf = {left.id: left}
    async with running(second, core=again):
        await again.heard("what is love?")
        roots = [each for each in bots(slack, general) if "asked" in each.seen]
        assert len(roots) == 1
        assert again.received[0].conversation.thread == roots[0].ts


class RefusingCore(Core):
    """Everybody is too fast for it."""

    async def receive(self, message: IncomingMessage) -> Receipt:
        """Take what it was read from off the shelf, and nothing else."""
        for event in message.events:
            del self.shelf[event]
        return Receipt.REFUSED


async def test_a_refused_question_is_taken_back(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter, core=RefusingCore(adapter)):
        ann.slash("/tunebot", "what is love?", general)
        await slack.workspace.until(lambda: slack.workspace.called("chat.delete"))
        await slack.workspace.until(lambda: not slack.workspace.visible(general))


async def test_a_command_where_the_bot_is_not_is_answered_in_private(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    secret = slack.workspace.channel("secret", [ann.user], kind="private", with_bot=False)
    async with running(adapter) as core:
        ann.slash("/tunebot", "model x", secret)
        await core.heard("/model x")
        await slack.workspace.until(lambda: told(slack, ann))
        assert told(slack, ann) == ["You said: /model x"]


async def test_long_questions_are_shown_shortened_and_asked_whole(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    question = "why " * 5000 + "so long?"
    async with running(adapter) as core:
        ann.slash("/tunebot", question, general)
        await core.heard(question)
        assert len(bots(slack, general)[0].seen) < 4000


# Home


async def test_home_shows_commands_models_and_usage(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter):
        ann.opens_home()
        await slack.workspace.until(lambda: ann.home)
        assert ann.home
        shown = str(ann.home.view["blocks"])
        for words in ("/model [NAME]", "gpt-4o-mini", "support", "$0.25", "of unknown price"):
            assert words in shown


async def test_the_messages_tab_publishes_nothing(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter) as core:
        ann.opens_home("messages")
        await read(slack, core)
        assert not ann.home


async def test_home_of_a_stranger_says_why_they_cannot_talk(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    async with running(adapter) as core:
        core.strangers.add(f"slack:{ann.id}")
        ann.opens_home()
        await slack.workspace.until(lambda: ann.home)
        assert ann.home
        assert f"'slack:{ann.id}'" in str(ann.home.view["blocks"])
        assert "gpt-4o-mini" not in str(ann.home.view["blocks"])


async def test_a_home_that_slack_refuses_ends_nothing(
    slack: Slack, adapter: Adapter, ann: Person
) -> None:
    slack.fails("views.publish", Fail("internal_error"))
    async with running(adapter) as core:
        ann.opens_home()
        await read(slack, core)
        assert not core.aside
        ann.opens_home()
        await slack.workspace.until(lambda: ann.home)


# Reactions


@pytest.mark.parametrize(
    ("name", "value"),
    [("+1", 1), ("thumbsup", 1), ("+1::skin-tone-4", 1), ("-1", -1), ("thumbsdown", -1)],
)
async def test_thumbs_are_opinions_and_may_be_taken_back(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel, name: str, value: int
) -> None:
    async with running(adapter) as core:
        answer = slack.workspace.post(general, slack.workspace.bot, "An answer.")
        ann.reacts(answer, name)
        await read(slack, core)
        assert core.opinions == {answer.ts: value}
        ann.unreacts(answer, name)
        await read(slack, core)
        assert core.opinions == {answer.ts: 0}


async def test_other_reactions_other_messages_and_strangers_say_nothing(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    bob = slack.person("bob")
    general.members.append(bob.id)
    async with running(adapter) as core:
        core.strangers.add(f"slack:{bob.id}")
        answer = slack.workspace.post(general, slack.workspace.bot, "An answer.")
        ann.reacts(answer, "eyes")
        ann.reacts(ann.says(general, "mine"), "+1")
        bob.reacts(answer, "+1")
        await read(slack, core)
        assert not core.opinions


async def test_thumb_that_is_taken_back_leaves_the_other_one(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        answer = slack.workspace.post(general, slack.workspace.bot, "An answer.")
        for reaction in ("eyes", "+1", "-1"):
            ann.reacts(answer, reaction)
        ann.unreacts(answer, "-1")
        await read(slack, core)
        assert core.opinions == {answer.ts: 1}
        ann.unreacts(answer, "+1")
        await read(slack, core)
        assert core.opinions == {answer.ts: 0}


async def test_reaction_to_one_of_several_messages_means_the_whole_part(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    async def answer(sink: Sink, _: IncomingMessage) -> None:
        handles.append(await sink.finish(0, "<br>\n" * 1_600, ""))

    handles: list[str] = []
    async with running(adapter, answer) as core:
        question = ann.says(general, "@tunebot hello")
        await core.heard("hello")
        await core.idle(core.received[0].conversation)
        first, *_ = slack.workspace.messages(general, question.ts)[1:]
        ann.reacts(first, "+1")
        await read(slack, core)
        assert "+" in handles[0]
        assert core.opinions == {handles[0]: 1}


# Stop and the end


async def test_slacks_stop_button_is_stop_in_its_thread(
    adapter: Adapter, ann: Person, general: Channel
) -> None:
    async with running(adapter) as core:
        question = ann.says(general, "@tunebot tell me everything")
        await core.heard("tell me everything")
        ann.stops(question)
        await core.heard("/stop")
        assert core.received[-1].conversation == core.received[0].conversation


async def test_a_stopped_stream_is_one_stop(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    over = asyncio.Event()

    async def grow(sink: Sink, message: IncomingMessage) -> None:
        if message.text == "/stop":
            return
        text, handle = "Once upon a time", ""
        while not over.is_set():
            handle = await sink.show(0, text, handle) or handle
            await sink.ready()
            text += " and then"
        await sink.finish(0, text, handle)

    async with running(adapter, grow) as core:
        ann.says(general, "@tunebot tell me everything")
        await slack.workspace.until(lambda: bots(slack, general))
        ann.stops(bots(slack, general)[0])
        await core.heard("/stop")
        await slack.workspace.until(
            lambda: any(call.outcome == "stopped_by_user" for call in slack.workspace.calls)
        )
        over.set()
        await core.idle(core.received[0].conversation)
        await read(slack, core)
        assert texts(core).count("/stop") == 1


async def test_an_uninstalled_app_is_trouble(slack: Slack, adapter: Adapter, ann: Person) -> None:
    async with running(adapter) as core:
        ann.uninstalls()
        await read(slack, core)
        assert "install it again" in adapter.trouble


async def test_a_command_is_acknowledged_before_slack_answers_anything(
    slack: Slack, adapter: Adapter, ann: Person, general: Channel
) -> None:
    until = asyncio.Event()
    async with running(adapter) as core:
        slack.fails("users.info", Hang(until, after=False))
        slack.fails("chat.postMessage", Hang(until, after=False))
        payload = ann.slash("/tunebot", "what is love?", general)
        await slack.delivery.settled()
        assert payload.outcome == "acknowledged"
        until.set()
        await core.heard("what is love?")
