"""How the files that people sent stand in a row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple

from sqlite_utils import Database

from bot.messages import Attachment

NONE = "[]"


def dumped(attachments: Sequence[Attachment]) -> str:
    """Attachments as a column has them."""
    return json.dumps([astuple(each) for each in attachments]) if attachments else NONE


def loaded(column: str) -> tuple[Attachment, ...]:
    """The attachments of a column."""
    return () if column == NONE else tuple(Attachment(*each) for each in json.loads(column))


def paths(db: Database) -> set[str]:
    """Where all files are that a message or a turn still has."""
    return {each.path for column in columns(db) for each in loaded(column)}


def columns(db: Database) -> Iterator[str]:
    """Every column that names files."""
    for table in ("messages", "turns"):  # as it stands in the partial indexes
        rows = db.execute(f"SELECT attachments FROM {table} WHERE attachments != '{NONE}'")
        yield from (column for (column,) in rows)
