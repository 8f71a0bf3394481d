"""The answers to what was said: owed until they are there, and asked for again after a crash."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from bot.errors import CommandError
from bot.messages import Card, ConversationId, Ending, IncomingMessage, ReplyTo, Role, Turn, Usage
from bot.store import conversations, inbox, outbox, questions, turns, usage
from bot.store.conversations import Settings, row_of, settings_of
from bot.store.keys import key_of

CUT = (Ending.LENGTH, Ending.STOPPED, Ending.BROKEN)


@dataclass(slots=True)
class Asked:
    """An answer that is owed: everything that is needed to ask the model for it.

    `turns` are the newest that were said, oldest first, the question last; with `go_on` the last is
    the answer whose rest is wanted. They are let go while it waits for a model: see `reread`.
    """

    turn: int
    to: ReplyTo
    settings: Settings
    turns: tuple[Turn, ...]
    go_on: bool = False
    handles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """How an answer ended, with the `reason` where it failed or broke off.

    `cost` is in US dollars, None when the price is not known.
    """

    text: str
    ending: Ending
    reason: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None


def begin(db: Database, messages: Sequence[inbox.Received], most: int, now: float) -> Asked | None:
    """Messages become turns, and the answer to them is owed. At most `most` turns are read.

    None when all of them were forgotten meanwhile.
    """
    there = [message for message in messages if inbox.taken_out(db, message)]
    if not there:
        return None
    conversation = row_of(db, there[-1].conversation)
    for message in there:
        turns.insert(
            db,
            conversation,
            Role.USER,
            message.person.id,
            message.text,
            Ending.WHOLE,
            now,
            attached=message.attachments,
        )
    return ask(db, conversation, there[-1], most, now)


def begin_at_once(db: Database, message: IncomingMessage, most: int, now: float) -> Asked | None:
    """A message that comes while nothing else waits becomes a turn as it is taken in, and the
    answer to it is owed. None for one that was seen before.
    """
    if not inbox.is_new(db, message, now):
        return None
    place, person, text = message.conversation, message.person, message.text
    conversation = row_of(db, place)
    turns.insert(db, conversation, Role.USER, person.id, text, Ending.WHOLE, now)
    return ask(db, conversation, inbox.Received(0, place, person, text, message.origin), most, now)


def ask_again(db: Database, message: inbox.Received, most: int, now: float) -> Asked | None:
    """Owe a new answer to the last question; the old one is replaced.

    None when the message was withdrawn meanwhile. Raises CommandError when nothing was asked.
    """
    if not inbox.taken_out(db, message):
        return None
    conversation = row_of(db, message.conversation)
    memory = settings_of(db, conversation).memory_from
    question = turns.last(db, conversation, memory, Role.USER)
    if question is None:
        raise CommandError("There is nothing to try again: ask something first.")
    db.execute(
        "UPDATE turns SET ending = ? WHERE conversation = ? AND id > ? AND role = ?",
        [Ending.REPLACED, conversation, question.id, Role.ASSISTANT],
    )
    return ask(db, conversation, message, most, now)


def go_on(db: Database, message: inbox.Received, most: int, now: float) -> Asked | None:
    """Owe the rest of the last answer. None when the message was withdrawn meanwhile.

    Raises CommandError when that answer was whole.
    """
    if not inbox.taken_out(db, message):
        return None
    conversation = row_of(db, message.conversation)
    newest = turns.said(db, conversation, settings_of(db, conversation).memory_from, 1)
    if not newest or newest[0].ending not in CUT or not newest[0].text:
        raise CommandError("There is nothing to continue: the last answer was not cut.")
    return ask(db, conversation, message, most, now, continues=True)


def ask(
    db: Database,
    conversation: int,
    message: inbox.Received,
    most: int,
    now: float,
    *,
    continues: bool = False,
) -> Asked:
    """Owe an answer to `message` and read what is needed to ask for it."""
    chosen = settings_of(db, conversation)
    said = turns.said(db, conversation, turns.since(chosen), most)
    turn = turns.insert(
        db,
        conversation,
        Role.ASSISTANT,
        message.person.id,
        "",
        Ending.ASKING,
        now,
        continues=continues,
        origin=message.origin,
    )
    if message.question_id:
        questions.begin(db, message.id, turn)
    to = ReplyTo(message.conversation, key_of(turn), message.origin, message.person.id, answer=True)
    return Asked(turn, to, chosen, tuple(said), continues)


def reread(db: Database, asked: Asked, most: int) -> tuple[Turn, ...]:
    """The turns of an owed answer once more."""
    row = row_of(db, asked.to.conversation)
    return tuple(turns.said(db, row, turns.since(asked.settings), most, asked.turn))


def asking(db: Database, adapters: Collection[str], most: int) -> list[Asked]:
    """The answers that a crash or a shutdown left owed, oldest first."""
    rows = db.query(
        "SELECT t.*, c.adapter, c.channel, c.thread "
        "FROM turns t JOIN conversations c ON c.id = t.conversation "
        "WHERE t.ending = 'asking' ORDER BY t.id"
    )
    return [again(db, row, most) for row in list(rows) if row["adapter"] in adapters]


def again(db: Database, row: Mapping[str, Any], most: int) -> Asked:
    """What is needed to ask for the answer of a row once more."""
    chosen = settings_of(db, row["conversation"])
    place = ConversationId(row["adapter"], row["channel"], row["thread"])
    to = ReplyTo(place, key_of(row["id"]), row["origin"], row["person"], answer=True)
    said = turns.said(db, row["conversation"], turns.since(chosen), most, row["id"])
    handles = tuple(json.loads(row["handles"]))
    return Asked(row["id"], to, chosen, tuple(said), bool(row["continues"]), handles)


def shown(db: Database, turn: int, handles: Sequence[str]) -> None:
    """Remember the platform's messages that show an answer while it grows."""
    db.execute("UPDATE turns SET handles = ? WHERE id = ?", [json.dumps(handles), turn])


def finish(
    db: Database, asked: Asked, answer: Answer, shown: str, handles: Sequence[str], now: float
) -> outbox.Owed:
    """The answer is there: it is stored, counted, and its text owed as it will be `shown`.

    It is owed even where its turn was forgotten meanwhile.
    """
    used, to = answer.usage, asked.to
    row = row_of(db, to.conversation)
    stored = db.execute(
        "UPDATE turns SET text = ?, ending = ?, model = ?, prompt_tokens = ?, "
        "completion_tokens = ?, cost = ?, handles = ? WHERE id = ?",
        (
            answer.text,
            answer.ending,
            answer.model,
            used.prompt_tokens,
            used.completion_tokens,
            answer.cost,
            json.dumps(handles),
            asked.turn,
        ),
    )
    person = to.person if stored.rowcount else ""
    if answer.model:
        usage.add(db, now, person, row, answer.model, used, answer.cost)
    card = Card(shown, failed=answer.ending is Ending.FAILED)
    owed = outbox.insert(db, row, person, to.origin, card, asked.turn, handles)
    return outbox.Owed(owed, to, card, tuple(handles))


def summarise(
    db: Database,
    asked: Asked,
    summary: str,
    up_to: int,
    model: str,
    used: Usage,
    cost: float | None,
    now: float,
) -> None:
    """Remember a summary of the turns up to and with `up_to`, and count what it took."""
    row = row_of(db, asked.to.conversation)
    # Where one does not stand, somebody said /forget meanwhile.
    if turns.stands(db, asked.turn) and turns.stands(db, up_to):
        conversations.summarise(db, row, summary, up_to)
    usage.add(db, now, asked.to.person, row, model, used, cost, answers=0)
