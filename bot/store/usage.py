"""Tokens and money, added up by day (UTC), person, conversation and model."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlite_utils import Database

from bot.messages import ConversationId, Spent, Usage
from bot.store.conversations import row_of

TOTAL = (
    "SELECT coalesce(sum(answers), 0), coalesce(sum(prompt_tokens), 0), "
    "coalesce(sum(completion_tokens), 0), coalesce(sum(cost), 0.0), coalesce(sum(unpriced), 0) "
    "FROM usage WHERE "
)


def day_of(now: float) -> str:
    """The day (UTC) of a Unix time, as 2026-11-21."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def add(
    db: Database,
    now: float,
    person: str,
    conversation: int,
    model: str,
    used: Usage,
    cost: float | None,
    answers: int = 1,
) -> None:
    """Count one answer; or with `answers` 0 a call that served none by itself."""
    db.execute(
        "INSERT INTO usage VALUES (?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT (day, person, conversation, model) DO UPDATE SET "
        "answers = answers + excluded.answers, "
        "prompt_tokens = prompt_tokens + excluded.prompt_tokens, "
        "completion_tokens = completion_tokens + excluded.completion_tokens, "
        "cost = cost + excluded.cost, unpriced = unpriced + excluded.unpriced",
        [
            day_of(now),
            person,
            conversation,
            model,
            answers,
            used.prompt_tokens,
            used.completion_tokens,
            cost or 0.0,
            cost is None,
        ],
    )


def of_person(db: Database, person: str, since: str = "") -> Spent:
    """What a person used since a day."""
    return Spent(*db.execute(f"{TOTAL} person = ? AND day >= ?", [person, since]).fetchone())


def of_conversation(db: Database, conversation: ConversationId, since: str = "") -> Spent:
    """What a conversation used since a day."""
    row = row_of(db, conversation)
    return Spent(*db.execute(f"{TOTAL} conversation = ? AND day >= ?", [row, since]).fetchone())
