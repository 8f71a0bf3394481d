"""Training data: files that are being looked at, and those that are ready to train."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace

from sqlite_utils import Database

from bot.training import Dataset


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that a person is preparing. `path` is our copy of it, `chosen` the keys of the changes
    that they accepted; None for what is recommended.
    """

    id: int
    name: str
    path: str
    chosen: frozenset[str] | None
    person: str


def draft(db: Database, name: str, path: str, person: str, now: float) -> int:
    """Keep what somebody begins to prepare; returns its number."""
    new = db.execute(
        "INSERT INTO drafts (name, path, person, at) VALUES (?, ?, ?, ?)", [name, path, person, now]
    )
    return int(new.lastrowid or 0)


def drafted(db: Database, number: int) -> Draft | None:
    """A draft; None when it is not there any more."""
    row = db.execute(
        "SELECT id, name, path, chosen, person FROM drafts WHERE id = ?", [number]
    ).fetchone()
    if row is None:
        return None
    chosen = json.loads(row[3])
    return Draft(row[0], row[1], row[2], None if chosen is None else frozenset(chosen), row[4])


def place(db: Database, number: int, path: str) -> None:
    """The file of a draft lies there."""
    db.execute("UPDATE drafts SET path = ? WHERE id = ?", [path, number])


def choose(db: Database, number: int, chosen: Collection[str] | None) -> None:
    """Remember which changes are accepted."""
    column = json.dumps(None if chosen is None else sorted(chosen))
    db.execute("UPDATE drafts SET chosen = ? WHERE id = ?", [column, number])


def drop(db: Database, number: int) -> None:
    """Forget a draft."""
    db.execute("DELETE FROM drafts WHERE id = ?", [number])


def old_drafts(db: Database, before: float) -> list[str]:
    """Forget the drafts from before a Unix time; returns where their files are."""
    rows = db.execute("DELETE FROM drafts WHERE at < ? RETURNING path", [before])
    return [path for (path,) in rows.fetchall()]


def put(db: Database, dataset: Dataset, number: int = 0) -> Dataset:
    """Keep a dataset, under a name that no other has; the draft that it was made from goes."""
    dataset = replace(dataset, name=free_name(db, dataset.name))
    facts = asdict(dataset)
    del facts["name"]
    db.execute(
        "INSERT INTO datasets (name, facts, at) VALUES (?, ?, ?)",
        [dataset.name, json.dumps(facts, ensure_ascii=False), dataset.at],
    )
    drop(db, number)
    return dataset


def free_name(db: Database, wanted: str) -> str:
    """A name that no dataset has: "faq", "faq-2", "faq-3" …"""
    name, number = wanted, 1
    while named(db, name):
        number += 1
        name = f"{wanted}-{number}"
    return name


def named(db: Database, name: str) -> Dataset | None:
    """The dataset of a name, whatever its case; None where there is none."""
    row = db.execute(
        "SELECT name, facts FROM datasets WHERE name = ? COLLATE NOCASE", [name]
    ).fetchone()
    return loaded(*row) if row else None


def listed(db: Database) -> list[Dataset]:
    """All datasets, newest first."""
    rows = db.execute("SELECT name, facts FROM datasets ORDER BY at DESC, name")
    return [loaded(*row) for row in rows.fetchall()]


def loaded(name: str, facts: str) -> Dataset:
    """A dataset as it was put."""
    values = json.loads(facts)
    return Dataset(name, **{**values, "labels": tuple(values["labels"])})


def delete(db: Database, name: str) -> None:
    """Forget a dataset."""
    db.execute("DELETE FROM datasets WHERE name = ?", [name])
