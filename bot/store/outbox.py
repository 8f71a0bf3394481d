"""What is owed to a platform: finished texts and notices that it has not confirmed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from sqlite_utils import Database

from bot.messages import Button, Card, ConversationId, Document, IncomingMessage, ReplyTo
from bot.store import boards, inbox, questions, shelf
from bot.store.conversations import row_of
from bot.store.keys import key_of
from bot.store.seen import first_seen

DONE = Card("Done.")


@dataclass(frozen=True, slots=True)
class Owed:
    """A text on its way. `handles` are the platform's messages that show parts of it already."""

    id: int
    to: ReplyTo
    card: Card
    handles: tuple[str, ...] = ()
    attempts: int = 0
    due: float = 0.0


def owe(db: Database, conversation: ConversationId, person: str, origin: str, card: Card) -> Owed:
    """Owe a notice to a conversation."""
    row = insert(db, row_of(db, conversation), person, origin, card)
    to = ReplyTo(conversation, key_of(None, row), origin, person, card.private)
    return Owed(row, to, card)


def answer(db: Database, messages: Sequence[inbox.Received], card: Card | None) -> list[Owed]:
    """Messages are dealt with: they go, and a card about them is owed.

    Whoever asked a question is told at least that it is done.
    """
    inbox.done(db, [message.id for message in messages])
    newest = messages[-1]
    place, person = newest.conversation, newest.person.id
    if newest.question_id:
        reply = card or DONE
        card = reply if questions.reply(db, newest.id, reply) else card
    return [owe(db, place, person, newest.origin, card)] if card else []


def heard(
    db: Database, message: inbox.Received, transcript: str
) -> tuple[inbox.Received, Owed | None]:
    """A recording became text, which is shown unless a question waits for its one answer."""
    written = inbox.heard(db, message, transcript)
    if message.question_id:
        return written, None
    shown = Card("\n".join(f"> {line}" for line in transcript.splitlines()))
    return written, owe(db, message.conversation, message.person.id, message.origin, shown)


def refuse(
    db: Database, message: IncomingMessage, sentence: str, now: float, *, stranger: bool
) -> tuple[bool, Owed | None]:
    """Note a message that is not taken, and owe a sentence about it; a stranger gets only one.

    Returns whether the message was new, and what is owed.
    """
    shelf.take_down(db, message.events)
    if not first_seen(db, message.conversation.adapter, message.keys, now):
        return False, None
    if not sentence or (stranger and not inbox.first_refusal(db, message.person.id, now)):
        return True, None
    place, person = message.conversation, message.person.id
    return True, owe(db, place, person, message.origin, Card(sentence, private=True, failed=True))


def insert(
    db: Database,
    conversation: int,
    person: str,
    origin: str,
    card: Card,
    turn: int | None = None,
    handles: Sequence[str] = (),
) -> int:
    """A new row of the outbox."""
    file = card.document
    document = (file.name, file.media_type, file.content) if file else (None, None, None)
    new = db.execute(
        "INSERT INTO outbox (conversation, turn, person, private, failed, text, document_name, "
        "document_type, document, buttons, board, beneath, origin, handles) "
        "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            conversation,
            turn,
            person,
            card.private,
            card.failed,
            card.text,
            *document,
            json.dumps([astuple(button) for button in card.buttons]),
            card.board,
            card.beneath,
            origin,
            json.dumps(handles),
        ),
    )
    return int(new.lastrowid or 0)


def owed(db: Database, adapters: Collection[str]) -> list[Owed]:
    """Everything that these adapters owe, oldest first."""
    rows = db.query(
        "SELECT o.*, c.adapter, c.channel, c.thread "
        "FROM outbox o JOIN conversations c ON c.id = o.conversation ORDER BY o.id"
    )
    return [from_row(row) for row in rows if row["adapter"] in adapters]


def from_row(row: Mapping[str, Any]) -> Owed:
    """What a row of the outbox, joined with its conversation, says."""
    place = ConversationId(row["adapter"], row["channel"], row["thread"])
    key, private = key_of(row["turn"], row["id"]), bool(row["private"])
    name = row["document_name"]
    document = Document(name, row["document_type"], row["document"]) if name else None
    buttons = tuple(Button(*each) for each in json.loads(row["buttons"]))
    return Owed(
        row["id"],
        ReplyTo(place, key, row["origin"], row["person"], private, answer=bool(row["turn"])),
        Card(
            row["text"],
            document,
            private,
            bool(row["failed"]),
            buttons,
            row["board"],
            bool(row["beneath"]),
        ),
        tuple(json.loads(row["handles"])),
        row["attempts"],
        row["due"],
    )


def shown(db: Database, owed: int, handles: Sequence[str]) -> None:
    """Remember the messages that show parts of this text."""
    db.execute("UPDATE outbox SET handles = ? WHERE id = ?", [json.dumps(handles), owed])


def postpone(db: Database, owed: int, attempts: int, due: float) -> None:
    """Try again at `due`, in Unix seconds."""
    db.execute("UPDATE outbox SET attempts = ?, due = ? WHERE id = ?", [attempts, due, owed])


def with_board(db: Database, owed: Owed) -> Owed | None:
    """What is owed to a board, with the messages that show the board by now; None where nobody
    follows any more. A card whose job has ended shows the end, also where its first text was late.
    """
    last = boards.last(db, owed.card.board)
    if last is None:
        db.execute("DELETE FROM outbox WHERE id = ?", [owed.id])
        return None
    handles = boards.handles(db, owed.card.board)
    if owed.card.beneath:
        return replace(owed, to=replace(owed.to, beneath=handles[0] if handles else ""))
    card = replace(owed.card, text=last or owed.card.text)
    return replace(owed, card=card, handles=owed.handles or handles)


def settle(db: Database, owed: int, handles: Sequence[str]) -> None:
    """The platform has it, or never will: nothing is owed. The turn keeps its messages."""
    db.execute(
        "UPDATE turns SET handles = ? WHERE id = (SELECT turn FROM outbox WHERE id = ?)",
        [json.dumps(handles), owed],
    )
    db.execute(
        "UPDATE followers SET handles = ? "
        "WHERE id = (SELECT board FROM outbox WHERE id = ? AND NOT beneath)",
        [json.dumps(handles), owed],
    )
    db.execute("DELETE FROM outbox WHERE id = ?", [owed])
