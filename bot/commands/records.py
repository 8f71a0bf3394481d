"""Commands about what is stored: usage, export, deletion."""

from __future__ import annotations

import json

from bot.commands.registry import Call, command
from bot.messages import Card, Document, Spent, Turn
from bot.store import privacy, turns, usage


@command("/usage", personal=True)
async def usage_(call: Call) -> Card:
    """Show tokens and money: yours, and this conversation's."""
    store, message = call.services.store, call.message
    today = usage.day_of(call.services.clock.now())
    person, where = message.person.id, message.conversation
    rows = [
        ("you, today", await store.insist(usage.of_person, person, today)),
        ("you, in all", await store.insist(usage.of_person, person)),
        ("here, today", await store.insist(usage.of_conversation, where, today)),
        ("here, in all", await store.insist(usage.of_conversation, where)),
    ]
    lines = [
        "| | answers | tokens in | tokens out | US dollars |",
        "|---|--:|--:|--:|--:|",
        *(f"| {name} | {cells(total)} |" for name, total in rows),
    ]
    return Card("\n".join(lines), private=True)


def cells(total: Spent) -> str:
    """The figures of one line."""
    money = f"{total.cost:.4f}"
    if total.unpriced:
        known = total.answers - total.unpriced
        money = f"{money} + {total.unpriced} of unknown price" if known else "price unknown"
    figures = (total.answers, total.prompt_tokens, total.completion_tokens)
    return " | ".join([*(f"{figure:,}" for figure in figures), money])


@command("/export", personal=True)
async def export(call: Call) -> Card:
    """Get this conversation as a JSONL file, one turn a line."""
    lines: list[str] = []
    last = 0
    while page := await call.services.store.insist(turns.export, call.message.conversation, last):
        lines += map(exported, page)
        last = page[-1].id
    if not lines:
        return Card("Nothing is stored of this conversation.", private=True)
    content = "".join(lines).encode()
    file = Document("conversation.jsonl", "application/jsonl", content)
    return Card(f"This conversation: {len(lines)} turns.", file, private=True)


def exported(turn: Turn) -> str:
    """A turn as a line of JSON."""
    fields = {
        "role": turn.role.value,
        "content": turn.text,
        "at": turn.at,
        "person": turn.person,
        "ending": turn.ending.value,
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"


@command("/forget", personal=True)
async def forget(call: Call) -> Card:
    """Delete everything that is stored of you: what you said and the answers to it.

    In all conversations. Token counts stay, without your name.
    """
    store, files = call.services.store, call.services.files
    kept = await files.kept()
    gone = await store.insist(privacy.forget, call.message.person.id, call.message.id)
    await store.scrub()
    await files.delete(kept - await files.kept())
    await call.services.library.sweep()
    return Card(f"Done: {gone} turns of yours are deleted, and your name with them.", private=True)
