"""What was said to messages whose platform fetches it: an answer, or what a command replied."""

from __future__ import annotations

import json
from dataclasses import astuple

from sqlite_utils import Database

from bot.messages import Button, Card, ConversationId, Document, Ending, Said, Usage
from bot.store import conversations
from bot.store.keys import key_of

OPEN = (
    "conversation = ? AND question_id = ? AND text IS NULL AND (turn IS NULL OR "
    "(SELECT ending FROM turns WHERE turns.id = turn) = 'asking')"
)


def known(db: Database, conversation: int, question_id: str) -> bool:
    """Whether a question was asked before."""
    found = db.execute(
        "SELECT 1 FROM questions WHERE conversation = ? AND question_id = ?",
        [conversation, question_id],
    )
    return found.fetchone() is not None


def ask(
    db: Database, conversation: int, question_id: str, message: int, person: str, now: float
) -> None:
    """Note the question that a message asks."""
    db.execute(
        "INSERT INTO questions (conversation, question_id, message, person, at) VALUES (?,?,?,?,?)",
        [conversation, question_id, message, person, now],
    )


def begin(db: Database, message: int, turn: int) -> None:
    """What will be said to the question of a message is the answer of that turn."""
    db.execute("UPDATE questions SET turn = ? WHERE message = ?", [turn, message])


def reply(db: Database, message: int, card: Card) -> bool:
    """Keep what a command said to the question of a message.

    False when it has an answer instead, or is gone.
    """
    file = card.document
    document = (file.name, file.media_type, file.content) if file else (None, None, None)
    kept = db.execute(
        "UPDATE questions SET text = ?, failed = ?, document_name = ?, document_type = ?, "
        "document = ?, buttons = ? WHERE message = ? AND turn IS NULL",
        [
            card.text,
            card.failed,
            *document,
            json.dumps([astuple(button) for button in card.buttons]),
            message,
        ],
    )
    return kept.rowcount == 1


def said(db: Database, conversation: ConversationId, question_id: str) -> Said | None:
    """What was said to a question; None while nothing is."""
    row = db.execute(
        "SELECT q.text, q.failed, q.document_name, q.document_type, q.document, q.buttons, "
        "t.id, t.text, t.ending, t.prompt_tokens, t.completion_tokens "
        "FROM questions q JOIN conversations c ON c.id = q.conversation "
        "LEFT JOIN turns t ON t.id = q.turn "
        "WHERE c.adapter = ? AND c.channel = ? AND c.thread = ? AND q.question_id = ?",
        [conversation.adapter, conversation.channel, conversation.thread, question_id],
    ).fetchone()
    if row is None:
        return None
    text, failed, name, media_type, content, written, *answered = row
    turn, answer, ending, prompt, completion = answered
    if turn is not None:
        if ending == Ending.ASKING:
            return None
        return Said(key_of(turn), answer, Ending(ending), Usage(prompt, completion))
    if text is None:
        return None
    document = Document(name, media_type, content) if name else None
    buttons = tuple(Button(*each) for each in json.loads(written))
    ending = Ending.FAILED if failed else Ending.WHOLE
    return Said("", text, ending, document=document, buttons=buttons)


def withdraw(db: Database, conversation: ConversationId, question_id: str) -> int | None:
    """Forget a question to which nothing was said yet. Returns the turn that is being answered, 0
    for none, or None when there is no such question.
    """
    where = [conversations.known(db, conversation), question_id]
    row = db.execute(f"SELECT turn FROM questions WHERE {OPEN}", where).fetchone()
    if row is None:
        return None
    db.execute("DELETE FROM questions WHERE conversation = ? AND question_id = ?", where)
    db.execute("DELETE FROM messages WHERE conversation = ? AND question_id = ?", where)
    return int(row[0] or 0)
