"""What is told is told once, and the end last: two that follow at once, late cards, broken charts,
services that repeat themselves, words that are more than words.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import DeliveryRefused
from bot.messages import Card, ConversationId, Profile, Provider
from bot.outbox import Outbox
from bot.store import Store, boards, jobs, outbox, telling
from bot.store.jobs import Stage
from bot.store.telling import Notice
from bot.training import Job, JobEvent, JobStatus
from bot.tuning.card import Shown, card_text
from bot.tuning.notices import end_of, news_of
from bot.tuning.progress import Progress
from bot.tuning.quoting import LONGEST, quoted
from bot.tuning.service import Page
from bot.tuning.unread import unread
from tests.clock import StoppedClock
from tests.fakes import FakeAdapter, Wall
from tests.tuning.stage import LOOK, looks, says, sees, settled, shown, starts, tuned, watched
from tests.tuning_server import TuningServer

JOB = Job("ftjob-1", "davinci-002", JobStatus.RUNNING, "running")
HERE = ConversationId("fake", "general")


@pytest.fixture
async def store(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Store]:
    store = Store(tmp_path / "bot.db", clock)
    await store.open()
    yield store
    await store.close()


async def test_two_who_follow_at_once_have_one_look_between_them(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    file = tuning.keep("elsewhere.jsonl", b'{"prompt": "a", "completion": "b"}\n')
    job = tuning.add({"model": "davinci-002", "training_file": file.id, "suffix": "theirs"})
    job.runs()
    async with tuned(tuning, tmp_path, clock) as bot:
        channels = ("one", "two", "three")
        await asyncio.gather(
            *(says(bot, f"/finetune follow {job.id}", channel=each) for each in channels)
        )
        await watched(bot)
        before = tuning.counts[LOOK]
        job.tell("Careful", "warn")
        await looks(bot, tuning, 30)
        assert tuning.counts[LOOK] == before + 1
        for channel in channels:
            await sees(bot, lambda text: text == "⚠️ Careful", channel)
            assert bot.says(channel).count("⚠️ Careful") == 1


async def test_end_is_told_once_even_if_it_is_found_twice(store: Store) -> None:
    tracked = await store.do(jobs.adopt, "tuner", JOB, "fake:op", 0.0)
    await store.do(boards.follow, tracked.id, HERE, "fake:op", "")
    ended = replace(JOB, status=JobStatus.SUCCEEDED)
    notices = [Notice(Card("The end"))]
    first = await store.do(telling.end, tracked.id, ended, [], notices, None, None, 0.0)
    assert [owed.card.text for owed in first] == ["The end"]
    assert not await store.do(telling.end, tracked.id, ended, [], notices, None, None, 0.0)
    assert not await store.do(telling.tell, tracked.id, JOB, [], notices)
    assert (await store.do(jobs.tracked, tracked.id)).stage is Stage.ENDED


async def test_first_card_that_comes_after_the_end_shows_the_end(
    store: Store, clock: StoppedClock, tmp_path: Path
) -> None:
    tracked = await store.do(jobs.adopt, "tuner", JOB, "fake:op", 0.0)
    follower = await store.do(boards.follow, tracked.id, HERE, "fake:op", "")
    end = await store.do(telling.notify, tracked.id, [Notice(Card("The end"), edits=True)])
    late = Card("Running", board=follower.id)
    late_owed = await store.do(outbox.owe, HERE, "fake:op", "", late)
    wall = Wall(tmp_path / "wall.jsonl")
    adapter = FakeAdapter(wall)
    sender = Outbox(store, {"fake": adapter}, clock)
    for owed in (*end, late_owed):
        await sender.deliver(owed)
    assert list(wall.posts("general").values()) == ["The end"]


async def test_nothing_is_shown_once_nobody_follows(
    store: Store, clock: StoppedClock, tmp_path: Path
) -> None:
    tracked = await store.do(jobs.adopt, "tuner", JOB, "fake:op", 0.0)
    await store.do(boards.follow, tracked.id, HERE, "fake:op", "")
    owed = await store.do(telling.notify, tracked.id, [Notice(Card("The end"), edits=True)])
    await store.do(boards.unfollow, tracked.id, HERE)
    wall = Wall(tmp_path / "wall.jsonl")
    for each in owed:
        await Outbox(store, {"fake": FakeAdapter(wall)}, clock).deliver(each)
    assert not wall.effects
    assert not await store.do(outbox.owed, ["fake"])


async def test_follow_again_gives_a_new_card_and_the_old_one_stops(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        await shown(bot, lambda text: tuning.job.id in text)
        old = list(bot.wall.posts("general"))[-1]
        await says(bot, "/finetune follow last")
        before = bot.wall.posts("general")[old]
        tuning.job.runs()
        tuning.job.step(3, 9, 1.0)
        clock.advance(30)
        await shown(bot, lambda text: "step 3/9" in text)
        assert bot.wall.posts("general")[old] == before
        await says(bot, "/finetune unfollow last")
        said = list(bot.says())
        tuning.job.step(4, 9, 1.0)
        await looks(bot, tuning, 30)
        await settled(bot)
        assert bot.says() == said


async def test_chart_that_cannot_be_drawn_holds_up_no_end(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.tuning.ending.loss_chart", int)  # cannot do it with these arguments
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.runs()
        for step in range(1, 4):
            tuning.job.step(step, 3, 1.0 / step)
        tuning.job.succeeds()
        await looks(bot, tuning, 5, ends=True)
        await sees(bot, lambda text: "is trained" in text)
        assert not bot.adapter.documents


async def test_service_that_pages_forever_is_read_once(store: Store) -> None:
    tracked = await store.do(jobs.adopt, "tuner", JOB, "fake:op", 0.0)
    page = Page([JobEvent(str(n), float(n), "info", "x") for n in range(20, 0, -1)], more=True)

    class Repeats:
        async def events(self, id_: str, after: str = "") -> Page[JobEvent]:
            del id_, after
            return page

    async with asyncio.timeout(20):
        news = await unread(
            Repeats(),  # type: ignore[arg-type]
            "ftjob-1",
            lambda ids: store.do(telling.known_events, tracked.id, ids),
        )
    assert [event.id for event in news] == [str(n) for n in range(1, 21)]


async def test_service_in_trouble_is_named_on_the_card(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        id_ = tuning.job.id
        kept = tuning.jobs.pop(id_)
        await shown(bot, lambda text: "Not seen just now: " in text)
        tuning.jobs[id_] = kept
        clock.advance(300)
        await shown(bot, lambda text: id_ in text and "Not seen" not in text)


async def test_bad_chat_does_not_stop_the_others(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        bot.adapter.faults.append(DeliveryRefused("The chat is gone."))
        await bot.receive("/finetune follow last", channel="gone", person="op")
        await bot.idle("gone")
        tuning.job.fails("Out of luck.")
        await looks(bot, tuning, 5, ends=True)
        await sees(bot, lambda text: "training of **support** failed" in text)


async def test_learned_name_that_is_configured_later_is_changed_with_who_chose_it(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.succeeds()
        await looks(bot, tuning, 5, ends=True)
        await sees(bot, lambda text: "is trained" in text)
        await bot.idle()
        await says(bot, "/finetune use last")
    profiles = {
        "assistant": Profile("assistant", "tuner", "gpt-4o-mini"),
        "support": Profile("support", "tuner", "gpt-4o"),
    }
    for _ in range(2):
        async with tuned(tuning, tmp_path, clock, profiles=profiles) as bot:
            said = await says(bot, "/model")
            assert "**support-2** answers here: ft:davinci-002" in said
            assert "**support**: gpt-4o (" in await says(bot, "/models")


async def test_model_of_a_provider_that_is_gone_waits_for_it(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        await starts(bot, tuning, tmp_path)
        tuning.job.succeeds()
        await looks(bot, tuning, 5, ends=True)
        await sees(bot, lambda text: "is trained" in text)
        await bot.idle()
        await says(bot, "/finetune use last")
    changes: dict[str, Any] = {
        "providers": {"other": Provider("other", base_url=tuning.base_url)},
        "profiles": {"assistant": Profile("assistant", "other", "gpt-4o-mini")},
    }
    async with tuned(tuning, tmp_path, clock, **changes) as bot:
        assert "**assistant** answers here" in await says(bot, "/model")
        for what in ("use", "try", "checkpoints", "results"):
            assert "add [providers.tuner]" in await says(bot, f"/finetune {what} last")
    async with tuned(tuning, tmp_path, clock) as bot:
        assert "**support** answers here" in await says(bot, "/model")


async def test_model_that_the_configuration_uses_is_not_deleted(
    tuning: TuningServer, tmp_path: Path, clock: StoppedClock
) -> None:
    async with tuned(tuning, tmp_path, clock) as bot:
        said = await says(bot, "/finetune delete gpt-4o-mini")
        assert "is in use: it is the default" in said


HOSTILE = "](http://evil) **x** <!channel> @here `rm`\n# big " + "x" * 9000


def test_hostile_words_of_a_service_make_no_marks_and_no_long_card() -> None:
    job = replace(
        JOB,
        id=HOSTILE,
        model=HOSTILE,
        said=HOSTILE,
        status=JobStatus.UNKNOWN,
        fine_tuned_model=HOSTILE,
        failure=HOSTILE,
    )
    text = card_text(Shown(job, Progress(), HOSTILE, "", HOSTILE), 0.0)
    ended = replace(job, status=JobStatus.FAILED)
    event = JobEvent("1", 0.0, "warn", HOSTILE)
    notices = [*news_of(HOSTILE, JOB, job, [event]), *end_of(1, HOSTILE, ended, text, None)]
    for said in (text, *(each.card.text for each in notices)):
        assert len(said) < 4096
        bare = "".join(said.split("`")[::2])  # what stands outside of code
        assert not set(bare) & set("[]<>@#")


@given(st.text(max_size=2000))
def test_quoted_text_is_one_line_that_is_short(text: str) -> None:
    said = quoted(text, LONGEST)
    assert len(said) <= LONGEST + 2
    assert "\n" not in said


@pytest.mark.parametrize(
    "text", ["faq.csv", "Step 3/9: loss=0.2", "my_file_2.csv", "It failed, see http://x.org/a"]
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert quoted(text) == text
