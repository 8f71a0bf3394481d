"""What is deleted: by age, and because a person says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlite_utils import Database

from bot.messages import ConversationId, Ending, Role
from bot.store import datasets, jobs, shelf
from bot.store.conversations import row_of
from bot.store.turns import UNSAID

SEEN_SECONDS = 48 * 3600  # platforms deliver again within 24 h: facts/telegram.md, facts/slack.md
DAY = 86_400


def prune(db: Database, now: float, retention_days: int) -> int:
    """Delete what is older than its time; returns how many turns went. 0 days keep turns forever.

    A conversation in which an answer is owed stays, however old, until it is given.
    """
    db.execute("DELETE FROM seen WHERE at < ?", [now - SEEN_SECONDS])
    db.execute(
        "UPDATE questions SET document_name = NULL, document_type = NULL, document = NULL "
        "WHERE at < ? AND document_name IS NOT NULL",
        [now - SEEN_SECONDS],
    )
    if not retention_days:
        return 0
    oldest = now - retention_days * DAY
    gone = delete_turns(
        db,
        "at < ? AND conversation NOT IN (SELECT conversation FROM turns WHERE ending = ?)",
        [oldest, Ending.ASKING],
    )
    db.execute(  # a summary stands for turns: it may not outlive the newest of them
        "UPDATE conversations SET summary = '' WHERE summary != '' AND NOT EXISTS "
        "(SELECT 1 FROM turns WHERE turns.id = summary_to)"
    )
    db.execute("DELETE FROM strangers WHERE at < ?", [oldest])
    db.execute("DELETE FROM questions WHERE turn IS NULL AND text IS NOT NULL AND at < ?", [oldest])
    return gone


def forget(db: Database, person: str, message: int = 0) -> int:
    """Delete what a person said, the answers to it, and their name; returns how many turns went.

    The question of `message`, which asks for it, stays without the name: it waits for its answer.

    Token counts stay, without the person. The memory of conversations in which they spoke loses
    its summary, which may repeat them; what others said there is read again.
    """
    spoke = db.execute("SELECT DISTINCT conversation FROM turns WHERE person = ?", [person])
    gone: list[int] = []
    for (conversation,) in spoke.fetchall():
        gone += turns_of(db, conversation, person)
        db.execute(
            "UPDATE conversations SET summary = '', summary_to = 0 WHERE id = ?", [conversation]
        )
    for turn in gone:
        delete_turns(db, "id = ?", [turn])
    shelf.forget(db)
    db.execute("UPDATE questions SET person = '' WHERE message = ?", [message])
    for table in ("messages", "outbox", "questions", "feedback", "strangers"):
        db.execute(f"DELETE FROM {table} WHERE person = ?", [person])
    db.execute(
        "INSERT INTO usage SELECT day, '', conversation, model, answers, prompt_tokens, "
        "completion_tokens, cost, unpriced FROM usage WHERE person = ? "
        "ON CONFLICT (day, person, conversation, model) DO UPDATE SET "
        "answers = answers + excluded.answers, "
        "prompt_tokens = prompt_tokens + excluded.prompt_tokens, "
        "completion_tokens = completion_tokens + excluded.completion_tokens, "
        "cost = cost + excluded.cost, unpriced = unpriced + excluded.unpriced",
        [person],
    )
    db.execute("DELETE FROM usage WHERE person = ?", [person])
    jobs.forget(db, person)
    datasets.forget(db, person)
    return len(gone)


def delete(db: Database, conversation: ConversationId) -> None:
    """Delete what was said in a conversation, and what was chosen for it. Token counts stay."""
    row = row_of(db, conversation)
    delete_turns(db, "conversation = ?", [row])
    for table in ("messages", "outbox", "questions", "followers"):
        db.execute(f"DELETE FROM {table} WHERE conversation = ?", [row])
    db.execute(
        "UPDATE conversations SET profile = '', system = NULL, memory_from = 0, summary = '', "
        "summary_to = 0 WHERE id = ?",
        [row],
    )


def delete_turns(db: Database, which: str, values: Sequence[object]) -> int:
    """Delete turns, and what belongs to them; returns how many went."""
    for table in ("questions", "feedback"):
        db.execute(
            f"DELETE FROM {table} WHERE turn IN (SELECT id FROM turns WHERE {which})", values
        )
    return db.execute(f"DELETE FROM turns WHERE {which}", values).rowcount


def turns_of(db: Database, conversation: int, person: str) -> Iterator[int]:
    """The turns that a person said in a conversation, and all answers to a question with theirs."""
    theirs = answered = False
    rows = db.execute(
        "SELECT id, role, person, ending FROM turns WHERE conversation = ? ORDER BY id",
        [conversation],
    )
    for turn, role, who, ending in rows:
        if role == Role.USER:
            theirs = who == person or (theirs and not answered)
        if who == person or (role == Role.ASSISTANT and theirs):
            yield turn
        answered = role == Role.ASSISTANT and ending not in UNSAID
