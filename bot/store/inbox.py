"""What was received and is not answered, and the keys of everything that was received."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from bot.messages import Attachment, ConversationId, IncomingMessage, Person
from bot.store import attachments, questions, shelf
from bot.store.conversations import choose_profile, row_of
from bot.store.seen import first_seen


@dataclass(frozen=True, slots=True, order=True)
class Received:
    """A committed message. They are answered in the order of their ids."""

    id: int
    conversation: ConversationId
    person: Person
    text: str
    origin: str
    attachments: tuple[Attachment, ...] = ()
    question_id: str = ""


def is_new(db: Database, message: IncomingMessage, now: float) -> bool:
    """Note a message; False if it was seen under any of its keys. What it was read from leaves the
    shelf.
    """
    shelf.take_down(db, message.events)
    return first_seen(db, message.conversation.adapter, message.keys, now)


def take_in(db: Database, message: IncomingMessage, now: float) -> Received | None:
    """Store a message that is new; None for one that was seen before."""
    if not is_new(db, message, now):
        return None
    place, person = message.conversation, message.person
    conversation, question_id = row_of(db, place), message.question_id
    if question_id and questions.known(db, conversation, question_id):
        return None
    if message.profile:
        choose_profile(db, place, message.profile)
    new = db.execute(
        "INSERT INTO messages (conversation, person, name, text, origin, at, attachments, "
        "question_id) VALUES (?,?,?,?,?,?,?,?)",
        [
            conversation,
            person.id,
            person.name,
            message.text,
            message.origin,
            now,
            attachments.dumped(message.attachments),
            question_id,
        ],
    )
    row = int(new.lastrowid or 0)
    if question_id:
        questions.ask(db, conversation, question_id, row, person.id, now)
    return Received(
        row,
        place,
        person,
        message.text,
        message.origin,
        message.attachments,
        question_id,
    )


def first_refusal(db: Database, person: str, now: float) -> bool:
    """Note that a stranger is turned away; True for the first time."""
    done = db.execute("INSERT OR IGNORE INTO strangers (person, at) VALUES (?, ?)", [person, now])
    return done.rowcount == 1


def waiting(db: Database, adapters: Collection[str]) -> list[Received]:
    """All messages that these adapters received and that nobody answered, oldest first."""
    rows = db.query(
        "SELECT m.*, c.adapter, c.channel, c.thread "
        "FROM messages m JOIN conversations c ON c.id = m.conversation ORDER BY m.id"
    )
    return [
        Received(
            row["id"],
            ConversationId(row["adapter"], row["channel"], row["thread"]),
            Person(row["person"], row["name"]),
            row["text"],
            row["origin"],
            attachments.loaded(row["attachments"]),
            row["question_id"],
        )
        for row in rows
        if row["adapter"] in adapters
    ]


def heard(db: Database, message: Received, transcript: str) -> Received:
    """Recordings became text: it goes below what was written, and they go."""
    text = "\n\n".join(filter(None, [message.text, transcript]))
    rest = tuple(each for each in message.attachments if not each.is_speech)
    db.execute(
        "UPDATE messages SET text = ?, attachments = ? WHERE id = ?",
        [text, attachments.dumped(rest), message.id],
    )
    return replace(message, text=text, attachments=rest)


def taken_out(db: Database, message: Received) -> bool:
    """Take a message out to become a turn; False when it was forgotten meanwhile."""
    return db.execute("DELETE FROM messages WHERE id = ?", [message.id]).rowcount == 1


def done(db: Database, ids: Sequence[int]) -> None:
    """Forget messages whose command is done."""
    db.conn.executemany("DELETE FROM messages WHERE id = ?", [(id_,) for id_ in ids])
