"""People who write to a Slack bot in a process of its own, and what they see and when.

The Slack is the one of the tests, in this process: its people watch what stands in its channels
themselves. Another process would have to ask for it, and Slack, which looks at every change for
everybody who waits, would take longer to say it than a bot takes for an answer. The model's first
token is the time of its request: `time.monotonic_ns` is one clock for all processes of a machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.bot import QUESTION
from benchmarks.machine import peak
from benchmarks.scene import (
    ASKED,
    LAST,
    PATIENCE,
    Command,
    Figures,
    Scene,
    asking,
    living,
    processor_time,
)
from tests.slack_server import Limits, Message, Person, Slack

STARTS_WITHIN = 20.0  # seconds


@dataclass
class Question:
    """A message that begins a thread, and what is seen of the answer in that. Times in ns, 0 until
    then: when it was said, when the model was `asked`, when the first text was `shown`, and when
    the `whole` was.
    """

    said: int
    asked: int = 0
    shown: int = 0
    whole: int = 0
    messages: set[str] = field(default_factory=set)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    def sees(self, message: Message) -> None:
        """A message of the bot in its thread, as it is now."""
        if message.deleted:
            self.messages.discard(message.ts)
            return
        text, now = message.seen, time.monotonic_ns()
        self.messages.add(message.ts)
        if not self.shown and (found := ASKED.match(text)):
            self.asked, self.shown = int(found[0]), now
        if not self.whole and LAST in text:
            self.whole = now
            self.answered.set()


class People:
    """Everyone in a scene, in front of a bot that runs."""

    def __init__(self, slack: Slack, scene: Scene, bot: int) -> None:
        self._slack = slack
        self._scene = scene
        self._bot = bot
        self._questions: dict[str, Question] = {}
        slack.workspace.watchers.append(self._watch)

    def _watch(self, _: str, message: Message) -> None:
        if message.user == self._slack.workspace.bot.id and message.thread_ts in self._questions:
            self._questions[message.thread_ts].sees(message)

    async def talk(self) -> Figures:
        """All questions and answers, after one round that warms everything up."""
        scene, slack = self._scene, self._slack
        people = [slack.person(f"person{number}") for number in range(scene.people)]
        await asking(people, scene.people, self._ask)
        await asyncio.sleep(scene.rest)
        await slack.delivery.settled()
        self._questions.clear()
        slack.statuses.clear()
        delivered = len(slack.delivery.payloads)
        start, cpu = time.monotonic(), processor_time(self._bot)
        await asking(people, scene.answers, self._ask)
        seconds = time.monotonic() - start
        await slack.delivery.settled()
        figures = found(list(self._questions.values()))
        figures.answers_a_second = len(figures.whole) / seconds
        figures.cpu = (processor_time(self._bot) - cpu) / scene.answers * 1000
        figures.peak = peak(self._bot)
        figures.calls = slack.statuses.total()
        figures.refused = sum(n for (_, what), n in slack.statuses.items() if what == "ratelimited")
        figures.acknowledged = [
            attempt.seconds * 1000
            for payload in slack.delivery.payloads[delivered:]
            for attempt in payload.attempts
            if attempt.seconds is not None
        ]
        return figures

    async def _ask(self, person: Person) -> None:
        question = Question(time.monotonic_ns())
        message = person.says(person.im, QUESTION)
        self._questions[message.ts] = question
        try:
            await asyncio.wait_for(question.answered.wait(), PATIENCE)
        except TimeoutError:
            return  # it is lost


def found(questions: Sequence[Question]) -> Figures:
    """The times of all answers, and how many there are too few or too many."""
    answered = [each for each in questions if each.answered.is_set()]
    return Figures(
        asked=[(each.asked - each.said) / 1e6 for each in answered],
        shown=[(each.shown - each.asked) / 1e6 for each in answered],
        whole=[(each.whole - each.said) / 1e6 for each in answered],
        lost=len(questions) - len(answered),
        more=sum(max(0, len(each.messages) - 1) for each in questions),
    )


async def play(scene: Scene, command: Command) -> Figures:
    """Let people talk to the bot that a command starts."""
    limits = Limits() if scene.limited else None
    async with Slack(limits=limits, keep_calls=False) as slack:
        secrets = {"SLACK_BOT_TOKEN": slack.tokens.bot, "SLACK_APP_TOKEN": slack.tokens.app}
        async with living(command(slack.api_url), secrets) as bot:
            sockets = slack.delivery.sockets
            await slack.workspace.until(lambda: sockets.live, STARTS_WITHIN)
            return await People(slack, scene, bot).talk()
