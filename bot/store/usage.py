"""Tokens and money, added up by day (UTC), person, conversation and model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlite_utils import Database

from bot.messages import ConversationId, Usage
from bot.store.conversations import row_of


@dataclass(frozen=True, slots=True)
class Total:
    """What was used. `cost` is in US dollars, without the `unpriced` answers."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    unpriced: int = 0


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


def of_person(db: Database, person: str, since: str = "") -> Total:
    """What a person used since a day."""
    return Total(*db.execute(f"{TOTAL} person = ? AND day >= ?", [person, since]).fetchone())


def of_conversation(db: Database, conversation: ConversationId, since: str = "") -> Total:
    """What a conversation used since a day."""
    row = row_of(db, conversation)
    return Total(*db.execute(f"{TOTAL} conversation = ? AND day >= ?", [row, since]).fetchone())
