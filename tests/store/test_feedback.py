"""An opinion finds its answer at once, however much was said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlite_utils import Database

from bot.messages import ConversationId, Ending, Role
from bot.store import answers, conversations, feedback, privacy, turns
from bot.store.migrations import migrations

HERE = ConversationId("telegram", "7")
ANSWERS = 2000
MOST_STEPS = 2000  # of SQLite's machine; reading every turn takes several of them for each


@pytest.fixture
def db() -> Iterator[Database]:
    with closing(Database(sqlite3.connect(":memory:"))) as db:
        migrations.apply(db)
        row = conversations.row_of(db, HERE)
        for number in range(ANSWERS):
            turn = turns.insert(db, row, Role.ASSISTANT, "telegram:7", "Yes", Ending.WHOLE, 0.0)
            answers.shown(db, turn, [str(number), f"{number}b"])
        yield db


def steps_of_judging(db: Database, handle: str) -> tuple[bool, int]:
    """Whether an answer was found, and how many hundred steps that took."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 100
        return 0

    db.conn.set_progress_handler(step, 100)
    found = feedback.give(db, HERE.adapter, HERE.channel, handle, "telegram:8", 1, 0.0)
    db.conn.set_progress_handler(None, 100)
    return found, steps


@pytest.mark.parametrize("handle", ["3", "3b", f"{ANSWERS - 1}", "nobody's"])
def test_answer_is_found_without_reading_all_others(db: Database, handle: str) -> None:
    found, steps = steps_of_judging(db, handle)
    assert found is (handle != "nobody's")
    assert steps <= MOST_STEPS


def test_message_that_shows_an_answer_no_more_is_no_answer(db: Database) -> None:
    answers.shown(db, 1, ["other"])
    assert not steps_of_judging(db, "0")[0]
    assert steps_of_judging(db, "other")[0]


def test_nothing_stays_of_the_messages_of_what_is_deleted(db: Database) -> None:
    privacy.forget(db, "telegram:7")
    assert db.execute("SELECT count(*) FROM handles").fetchone() == (0,)


def test_answers_of_an_older_version_are_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    with closing(Database(sqlite3.connect(tmp_path_factory.mktemp("old") / "bot.db"))) as db:
        migrations.apply(db, stop_before="m016_handles")
        turn = turns.insert(
            db, conversations.row_of(db, HERE), Role.ASSISTANT, "", "", Ending.WHOLE, 0
        )
        db.execute("UPDATE turns SET handles = ? WHERE id = ?", [json.dumps(["17"]), turn])
        migrations.apply(db)
        assert steps_of_judging(db, "17")[0]
