"""Nothing that people write gets lost, and Slack is told so only after the core has it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest

from bot.errors import StoreBusy
from bot.messages import ConversationId, IncomingMessage, Person, RawEvent, Receipt
from bot.ports import Adapter, Sink
from tests.adapters.slack.conftest import Core, Make, read, running, texts
from tests.clock import StoppedClock
from tests.slack_server import Channel, Hang
from tests.slack_server.payloads import Attempt, Payload
from tests.slack_server.people import Person as SlackPerson
from tests.slack_server.slack import Slack

JUNK: list[Any] = [None, True, -1, 1e99, "", "\x00", "\ud800", "x" * 5000, [], [[]], {}, {"id": {}}]


class HeldCore(Core):
    """Commits nothing, or no message, until it is let go."""

    def __init__(self, adapter: Adapter, *, shelf: bool = False, messages: bool = False) -> None:
        super().__init__(adapter)
        self.go = asyncio.Event()
        self.reached = asyncio.Event()
        self._held = shelf, messages

    async def shelve(
        self, adapter: str, events: Sequence[tuple[str, str]]
    ) -> Sequence[RawEvent | None]:
        if self._held[0]:
            self.reached.set()
            await self.go.wait()
        return await super().shelve(adapter, events)

    async def receive(self, message: IncomingMessage) -> Receipt:
        if self._held[1]:
            self.reached.set()
            await self.go.wait()
        return await super().receive(message)


@pytest.fixture
def ann(slack: Slack) -> SlackPerson:
    return slack.person("ann")


@pytest.fixture
def general(slack: Slack, ann: SlackPerson) -> Channel:
    return slack.workspace.channel("general", [ann.user])


# Committed, then acknowledged


async def test_envelope_is_acknowledged_only_once_it_is_committed(
    slack: Slack, adapter: Adapter, ann: SlackPerson
) -> None:
    core = HeldCore(adapter, shelf=True)
    async with running(adapter, core=core):
        ann.says(ann.im, "Hello")
        await core.reached.wait()
        assert slack.delivery.pending
        core.go.set()
        await core.heard("Hello")
        await slack.delivery.settled()
        assert not slack.delivery.losses


async def test_acknowledgement_waits_for_nothing_behind_the_shelf(
    slack: Slack, adapter: Adapter, ann: SlackPerson
) -> None:
    core = HeldCore(adapter, messages=True)
    slack.fails("users.info", Hang(), times=9)
    async with running(adapter, core=core):
        ann.says(ann.im, "Hello")
        ann.slash("/tunebot", "models")
        await slack.delivery.settled()
        assert not slack.delivery.losses
        assert not core.received
        core.go.set()
        await core.heard("Hello")


async def test_every_envelope_is_acknowledged_at_once_while_100_answers_run(
    slack: Slack, adapter: Adapter
) -> None:
    going, all_begun = asyncio.Event(), asyncio.Event()
    begun = count(1)

    async def answer(_: Sink, __: IncomingMessage) -> None:
        if next(begun) == len(people):
            all_begun.set()
        await going.wait()

    people = [slack.person(f"person{number}") for number in range(100)]
    async with running(adapter, answer) as core:
        for person in people:
            person.says(person.im, "Question")
        await all_begun.wait()
        await slack.delivery.settled()
        before = len(slack.delivery.acknowledgements)
        for person in people[:25]:
            person.says(person.im, "Another")
            person.slash("/tunebot", "/help")
        await slack.delivery.settled()
        acknowledged = slack.delivery.acknowledgements[before:]
        going.set()
        await read(slack, core)
        assert len(acknowledged) == 50
        assert max(acknowledged) < 3.0, "Slack delivers again after that"
        assert not slack.delivery.losses


async def test_store_that_fails_has_slack_deliver_again_and_is_answered_once(
    slack: Slack, patience: StoppedClock, adapter: Adapter, ann: SlackPerson
) -> None:
    core = HeldCore(adapter, shelf=True)
    core.shelf_failures = [StoreBusy("The database is busy.")]
    core.go.set()
    async with running(adapter, core=core):
        message = ann.says(ann.im, "Hello")
        await core.reached.wait()
        patience.advance(3.1)
        await core.heard("Hello")
        await read(slack, core)
        (payload,) = slack.delivery.of(message)
        assert [attempt.number for attempt in payload.attempts] == [0, 1]
        assert texts(core) == ["Hello"]


async def test_message_is_read_after_a_crash_behind_the_commit(
    slack: Slack, make: Make, ann: SlackPerson
) -> None:
    first = make()
    core = HeldCore(first, messages=True)
    async with running(first, core=core):
        ann.says(ann.im, "Hello")
        await core.reached.wait()
        await slack.delivery.settled()
    assert core.shelf
    second = make()
    after = Core(second)
    after.shelf, after.keys = core.shelf, core.keys
    async with running(second, core=after):
        await after.heard("Hello")
        await read(slack, after)
    assert not slack.delivery.losses


async def test_store_that_fails_behind_the_shelf_is_waited_for_in_order(
    slack: Slack, adapter: Adapter, ann: SlackPerson
) -> None:
    core = Core(adapter)
    core.failures = [StoreBusy("The database is busy.")] * 3
    async with running(adapter, core=core):
        root = ann.says(ann.im, "One")
        ann.says(ann.im, "Two", thread_ts=root.ts)
        await core.heard("Two")
        assert texts(core) == ["One", "Two"]
        await read(slack, core)


async def test_bug_does_not_end_the_intake_and_its_envelope_is_kept(
    slack: Slack, adapter: Adapter, ann: SlackPerson
) -> None:
    core = Core(adapter)
    core.failures = [RuntimeError("a bug")]  # type: ignore[list-item]
    async with running(adapter, core=core):
        ann.says(ann.im, "One")
        ann.says(ann.im, "Two")
        await core.heard("Two")
        await read(slack, core)
        assert json.loads(core.aside[0])["event"]["text"] in {"One", "Two"}


async def test_variables_for_other_programs_of_slack_change_nothing(
    slack: Slack, adapter: Adapter, ann: SlackPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_VERIFICATION_TOKEN"):
        monkeypatch.setenv(name, "of another program")
    async with running(adapter) as core:
        ann.says(ann.im, "Hello")
        await core.heard("Hello")
        await read(slack, core)


# Once


async def test_message_delivered_again_is_answered_once(
    slack: Slack, make: Make, ann: SlackPerson
) -> None:
    first, second = make(), make()
    async with running(first) as core:
        message = ann.says(ann.im, "Hello")
        await core.heard("Hello")
        slack.delivery.again(message)
        slack.delivery.again(message, under_another_id=True)
        await read(slack, core)
        assert texts(core) == ["Hello"]
    again = Core(second)
    again.keys = core.keys
    async with running(second, core=again):
        slack.delivery.again(message)
        slack.delivery.again(message, under_another_id=True)
        await read(slack, again)
        assert not again.received


async def test_mention_comes_twice_and_is_one_message(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    async with running(adapter) as core:
        message = ann.says(general, "@tunebot hello")
        await core.heard("hello")
        await read(slack, core)
        assert len(slack.delivery.of(message)) == 2
        assert texts(core) == ["hello"]


# In order, side by side


async def test_messages_of_a_thread_come_in_order(
    slack: Slack, adapter: Adapter, general: Channel
) -> None:
    people = [slack.person(f"person{number}") for number in range(3)]
    async with running(adapter) as core:
        roots = [person.says(general, "@tunebot begin") for person in people]
        for number in range(10):
            for person, root in zip(people, roots, strict=True):
                person.says(general, f"{number}", thread_ts=root.ts)
        await read(slack, core)
        for person in people:
            told = [each.text for each in core.received if each.person.id == f"slack:{person.id}"]
            assert told == ["begin", *map(str, range(10))]


async def test_stop_and_other_threads_wait_for_no_file(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    slack.fails("users.info", Hang(), times=9)  # the first message waits for its names
    file = slack.workspace.keep("a.txt", b"x" * 10, "text/plain", ann.user)
    core = HeldCore(adapter, messages=False)
    async with running(adapter, core=core):
        root = ann.says(general, "@tunebot look", files=[file])
        ann.says(general, "@tunebot /stop", thread_ts=root.ts)
        ann.says(general, "@tunebot other")
        await core.heard("/stop")
        await core.heard("other")
        await core.heard("look")


# Whom it is for


async def test_mention_begins_a_thread_in_which_all_is_for_the_bot(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    bob = slack.person("bob")
    async with running(adapter) as core:
        root = ann.says(general, "@tunebot hello")
        bob.says(general, "Not for the bot")
        bob.says(general, "And me?", thread_ts=root.ts)
        bob.says(general, "@ann lunch?", thread_ts=root.ts)
        bob.says(general, "<!here> lunch!", thread_ts=root.ts)
        bob.says(general, "Everybody sees this", thread_ts=root.ts, broadcast=True)
        await read(slack, core)
        assert texts(core) == ["hello", "And me?", "Everybody sees this"]
        where = {message.conversation for message in core.received}
        assert where == {ConversationId("slack", general.id, root.ts)}


async def test_thread_of_an_earlier_run_is_still_the_bots(
    slack: Slack, make: Make, ann: SlackPerson, general: Channel
) -> None:
    first, second = make(), make()
    async with running(first) as core:
        root = ann.says(general, "@tunebot hello")
        await core.heard("hello")
        await read(slack, core)
    later = Core(second)
    later._turns = core._turns
    async with running(second, core=later):
        ann.says(general, "And then?", thread_ts=root.ts)
        await later.heard("And then?")


async def test_thread_of_others_is_theirs_until_the_bot_is_mentioned(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    async with running(adapter) as core:
        root = ann.says(general, "Shall we ask?")
        ann.says(general, "Yes.", thread_ts=root.ts)
        ann.says(general, "@tunebot what do you think?", thread_ts=root.ts)
        ann.says(general, "Why?", thread_ts=root.ts)
        await read(slack, core)
        assert texts(core) == ["what do you think?", "Why?"]


async def test_with_threads_mentions_every_message_must_mention_the_bot(
    slack: Slack, make: Make, ann: SlackPerson, general: Channel
) -> None:
    async with running(make(threads="mentions")) as core:
        root = ann.says(general, "@tunebot hello")
        ann.says(general, "Not this", thread_ts=root.ts)
        ann.says(general, "@tunebot but this", thread_ts=root.ts)
        await read(slack, core)
        assert texts(core) == ["hello", "but this"]


async def test_direct_message_begins_a_thread_of_its_own(
    slack: Slack, adapter: Adapter, ann: SlackPerson
) -> None:
    async with running(adapter) as core:
        one = ann.says(ann.im, "One")
        two = ann.says(ann.im, "Two")
        ann.says(ann.im, "More of one", thread_ts=one.ts)
        await read(slack, core)
        threads = {each.text: each.conversation.thread for each in core.received}
        assert threads == {"One": one.ts, "Two": two.ts, "More of one": one.ts}


async def test_with_direct_channel_all_direct_messages_are_one_conversation(
    slack: Slack, make: Make, ann: SlackPerson
) -> None:
    async with running(make(direct="channel")) as core:
        root = ann.says(ann.im, "One")
        ann.says(ann.im, "Two")
        ann.says(ann.im, "Aside", thread_ts=root.ts)
        await read(slack, core)
        threads = {each.text: each.conversation.thread for each in core.received}
        assert threads == {"One": "", "Two": "", "Aside": root.ts}


async def test_bots_edits_deletions_and_joins_start_nothing(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    robot = slack.integration("robot")
    async with running(adapter) as core:
        root = ann.says(general, "@tunebot hello")
        await core.heard("hello")
        robot.says(general, "@tunebot beep", thread_ts=root.ts)
        robot.says(general, "@tunebot boop", subtype="bot_message")
        ann.edits(root, "@tunebot hello again")
        ann.deletes(root)
        slack.person("bob").joins(general)
        await read(slack, core)
        assert texts(core) == ["hello"]


# What it says


async def test_text_is_read_as_people_see_it(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    slack.workspace.user("bob", display_name="Bob B.")
    async with running(adapter) as core:
        ann.says(general, "@tunebot, is 1 < 2 & does @bob know https://a.example/?x&y")
        await core.heard("is 1 < 2 & does @Bob B. know https://a.example/?x&y")
        (message,) = core.received
        assert message.person == Person(f"slack:{ann.id}", "Ann")


async def test_name_that_slack_does_not_tell_is_an_id(
    slack: Slack, adapter: Adapter, ann: SlackPerson
) -> None:
    slack.fails("users.info", Hang(), times=9)
    async with running(adapter) as core:
        ann.says(ann.im, "Hello")
        await core.heard("Hello")
        assert core.received[0].person == Person(f"slack:{ann.id}", ann.id)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("@tunebot finetune start data.jsonl gpt", "/finetune start data.jsonl gpt"),
        ("@tunebot /model x", "/model x"),
        ("@tunebot help", "/help"),
        ("@tunebot help me write", "help me write"),
    ],
)
async def test_command_can_be_said_by_mention(
    adapter: Adapter, ann: SlackPerson, general: Channel, typed: str, meant: str
) -> None:
    async with running(adapter) as core:
        ann.says(general, typed)
        await core.heard(meant)


# Whatever comes


@pytest.mark.parametrize(
    "body",
    [
        {"type": "event_callback"},
        {"type": "event_callback", "event": "text"},
        {"type": "event_callback", "event": {"type": []}},
        {"type": "event_callback", "event": {"type": "message", "user": 7}, "team_id": "T"},
        {"type": "event_callback", "authorizations": [7], "event": {}},
        {"type": "block_actions", "user": []},
        {"command": "/tunebot"},
        {"team": 7, "user": 7, "view": [], "channel": {}},
    ],
    ids=str,
)
async def test_hostile_envelope_is_kept_aside_acknowledged_and_survived(
    slack: Slack, adapter: Adapter, ann: SlackPerson, body: dict[str, Any]
) -> None:
    async with running(adapter) as core:
        await connected(slack)
        await told(slack, body)
        ann.says(ann.im, "After")
        await core.heard("After")
        await read(slack, core)
        assert texts(core) == ["After"]
        assert len(core.aside) == 1


async def test_whatever_becomes_of_an_envelope_it_is_acknowledged_and_survived(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    chance = random.Random(7)
    async with running(adapter) as core:
        file = slack.workspace.keep("a.txt", b"x", "text/plain", ann.user)
        ann.says(general, "@tunebot <hello> & bye", files=[file])
        ann.slash("/tunebot", "usage")
        ann.opens_home()
        await read(slack, core)
        seeds = [payload.body for payload in slack.delivery.payloads]
        for _ in range(20):
            bodies = [mutated(chance.choice(seeds), chance) for _ in range(20)]
            await asyncio.gather(*(told(slack, body) for body in bodies))
        ann.says(ann.im, "After")
        await core.heard("After")
        await read(slack, core)


async def told(slack: Slack, body: Any) -> None:
    """Send an envelope that Slack would not, and return when it is acknowledged."""
    payload = Payload("slash_commands", body)
    async with asyncio.timeout(30):
        await slack.delivery.sockets.attempt(payload, Attempt(0, "", 0.0))


async def connected(slack: Slack) -> None:
    """Return when a socket is open."""
    await slack.workspace.until(lambda: slack.delivery.sockets.live)


def mutated(value: Any, chance: random.Random) -> Any:
    """A value in which something, mostly deep inside, is missing or something else."""
    if isinstance(value, dict) and value and chance.random() < 0.95:
        key = chance.choice(sorted(value))
        if chance.random() < 0.1:
            return {each: value[each] for each in value if each != key}
        return {**value, key: mutated(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        return [mutated(value[0], chance), *value[1:]]
    return chance.choice(JUNK)


async def test_forwarded_message_is_read_with_what_is_said_to_it(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    bob = slack.person("bob")
    general.members.append(bob.id)
    original = bob.says(general, "The loss\nis 0.2, @ann")
    async with running(adapter) as core:
        ann.says(ann.im, "", forwards=original)
        ann.says(ann.im, "Is that good?", forwards=original)
        await core.heard("Forwarded from Bob:\n> The loss\n> is 0.2, @Ann")
        await core.heard("Is that good?\n\nForwarded from Bob:\n> The loss\n> is 0.2, @Ann")


async def test_mention_in_a_forwarded_message_is_none(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    async with running(adapter) as core:
        original = ann.says(general, "@tunebot hello")
        ann.says(general, "Look what I asked", forwards=original)
        await read(slack, core)
        assert texts(core) == ["hello"]


@pytest.mark.parametrize(("threads", "heard"), [("all", ["And the loss?"]), ("mentions", [])])
async def test_reply_below_a_message_of_the_bot_is_for_it(
    slack: Slack, make: Make, ann: SlackPerson, general: Channel, threads: str, heard: list[str]
) -> None:
    card = slack.workspace.post(general, slack.workspace.bot, "Step 5")
    async with running(make(threads=threads)) as core:
        ann.says(general, "And the loss?", thread_ts=card.ts)
        await read(slack, core)
        assert texts(core) == heard


async def test_file_of_a_message_that_is_committed_while_the_bot_ends_is_kept(
    adapter: Adapter, ann: SlackPerson
) -> None:
    core = HeldCore(adapter, messages=True)
    async with running(adapter, core=core):
        ann.says(ann.im, "Read this", files=[ann.file("notes.txt", b"Remember.")])
        await core.reached.wait()
    [kept] = core.files.iterdir()
    assert kept.read_bytes() == b"Remember."


async def test_answers_to_what_came_in_this_run_are_not_looked_up(
    slack: Slack, adapter: Adapter, ann: SlackPerson, general: Channel
) -> None:
    async def grow(sink: Sink, _: IncomingMessage) -> None:
        await sink.finish(0, "Hello.", await sink.show(0, "Hel", ""))

    async with running(adapter, grow) as core:
        ann.says(general, "@tunebot hello")
        await core.heard("hello")
        await core.idle(core.received[0].conversation)
        assert not slack.workspace.called("conversations.replies")
