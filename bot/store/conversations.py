"""Conversations: which histories there are, and what was chosen for each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from bot.messages import ConversationId, Summary

TITLE = 80  # characters of a first question that name a conversation


@dataclass(frozen=True, slots=True)
class Settings:
    """What a conversation chose: "" and None leave it to the configuration.

    `summary` stands for the turns up to `summary_to`.
    """

    profile: str = ""
    system: str | None = None
    memory_from: int = 0
    summary: str = ""
    summary_to: int = 0


def row_of(db: Database, conversation: ConversationId) -> int:
    """The row id of a conversation, which is made when it is new."""
    row = known(db, conversation)
    if row:
        return row
    new = db.execute(
        "INSERT INTO conversations (adapter, channel, thread) VALUES (?, ?, ?)",
        [conversation.adapter, conversation.channel, conversation.thread],
    )
    return int(new.lastrowid or 0)


def known(db: Database, conversation: ConversationId) -> int:
    """The row id of a conversation; 0, which no row has, for one that is not there. That of a
    channel which moved is found under the old id, too.
    """
    values = [conversation.adapter, conversation.channel, conversation.thread]
    found = (
        db.execute(
            "SELECT id FROM conversations WHERE adapter = ? AND channel = ? AND thread = ?", values
        ).fetchone()
        or db.execute(
            "SELECT c.id FROM moves m JOIN conversations c "
            "ON c.adapter = m.adapter AND c.channel = m.now "
            "WHERE m.adapter = ? AND m.channel = ? AND c.thread = ?",
            values,
        ).fetchone()
    )
    return int(found[0]) if found else 0


def settings(db: Database, conversation: ConversationId) -> Settings:
    """What was chosen for a conversation, and for its channel where it chose nothing itself."""
    row = known(db, conversation) or known(db, replace(conversation, thread=""))
    return settings_of(db, row) if row else Settings()


def settings_of(db: Database, row: int) -> Settings:
    """What was chosen for the conversation of a row."""
    return Settings(
        *db.execute(
            "SELECT coalesce(nullif(c.profile, ''), channel.profile, ''), "
            "coalesce(c.system, channel.system), c.memory_from, c.summary, c.summary_to "
            "FROM conversations c LEFT JOIN conversations channel ON c.thread != '' AND "
            "channel.adapter = c.adapter AND channel.channel = c.channel AND channel.thread = '' "
            "WHERE c.id = ?",
            [row],
        ).fetchone()
    )


def listed(db: Database, adapter: str, channel: str, most: int) -> list[Summary]:
    """The conversations of a channel in which something was said, newest first."""
    rows = db.execute(
        "SELECT c.thread, t.at, (SELECT substr(text, 1, ?) FROM turns "
        "WHERE conversation = c.id AND role = 'user' ORDER BY id LIMIT 1) FROM conversations c "
        "JOIN turns t ON t.id = (SELECT max(id) FROM turns WHERE conversation = c.id) "
        "WHERE c.adapter = ? AND c.channel = ? ORDER BY t.id DESC LIMIT ?",
        [TITLE, adapter, channel, most],
    )
    return [
        Summary(ConversationId(adapter, channel, thread), title or "", at)
        for thread, at, title in rows
    ]


def choose_profile(db: Database, conversation: ConversationId, profile: str) -> None:
    """Talk by this profile from now on; "" for the default one."""
    row = row_of(db, conversation)
    db.execute("UPDATE conversations SET profile = ? WHERE id = ?", [profile, row])


def choose_for_channel(db: Database, where: ConversationId, profile: str) -> None:
    """Talk by this profile from now on, in all of a channel: threads that chose follow it again."""
    db.execute(
        "UPDATE conversations SET profile = '' WHERE adapter = ? AND channel = ?",
        [where.adapter, where.channel],
    )
    choose_profile(db, replace(where, thread=""), profile)


def users_of(db: Database, profiles: Sequence[str]) -> list[ConversationId]:
    """The conversations that chose one of these profiles."""
    rows = db.execute(
        "SELECT adapter, channel, thread FROM conversations "
        "WHERE profile IN (SELECT value FROM json_each(?)) ORDER BY id",
        [json.dumps(list(profiles))],
    )
    return [ConversationId(*row) for row in rows.fetchall()]


def choose_system(db: Database, conversation: ConversationId, system: str | None) -> None:
    """Use this system prompt from now on; None for the profile's own."""
    row = row_of(db, conversation)
    db.execute("UPDATE conversations SET system = ? WHERE id = ?", [system, row])


def move(db: Database, adapter: str, channel: str, to: str) -> None:
    """Give a channel's conversations its new id, unless there is one already."""
    db.execute(
        "UPDATE OR IGNORE conversations SET channel = ? WHERE adapter = ? AND channel = ?",
        [to, adapter, channel],
    )
    db.execute("INSERT OR REPLACE INTO moves VALUES (?, ?, ?)", [adapter, channel, to])


def reset(db: Database, conversation: ConversationId) -> None:
    """Begin a new memory: what was said stays stored and is no longer sent."""
    row = row_of(db, conversation)
    db.execute(
        "UPDATE conversations SET summary = '', summary_to = 0, memory_from = "
        "(SELECT coalesce(max(id), 0) FROM turns WHERE conversation = ?) WHERE id = ?",
        [row, row],
    )


def summarise(db: Database, row: int, summary: str, up_to: int) -> None:
    """Remember a summary of the turns up to and with `up_to`."""
    db.execute(
        "UPDATE conversations SET summary = ?, summary_to = ? WHERE id = ?", [summary, up_to, row]
    )
