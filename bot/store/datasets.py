"""Training data: files that are being looked at, and those that are ready to train."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace

from sqlite_utils import Database

from bot.training import Dataset

DRAFT = "id, name, path, chosen, person"


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
    """A draft; None when it is dealt with."""
    row = db.execute(f"SELECT {DRAFT} FROM drafts WHERE id = ? AND at > 0", [number]).fetchone()
    return loaded_draft(*row) if row else None


def loaded_draft(number: int, name: str, path: str, chosen: str, person: str) -> Draft:
    """A draft as it was kept."""
    keys = json.loads(chosen)
    return Draft(number, name, path, None if keys is None else frozenset(keys), person)


def choose(db: Database, number: int, chosen: Collection[str] | None) -> None:
    """Remember which changes are accepted."""
    column = json.dumps(None if chosen is None else sorted(chosen))
    db.execute("UPDATE drafts SET chosen = ? WHERE id = ?", [column, number])


def drop(db: Database, number: int) -> None:
    """A draft is dealt with. It goes once its file did: see `dropped`."""
    db.execute("UPDATE drafts SET at = 0, person = '' WHERE id = ?", [number])


def dropped(db: Database, before: float) -> list[Draft]:
    """The drafts that are dealt with, or from before a Unix time: their files are to go."""
    db.execute("UPDATE drafts SET at = 0, person = '' WHERE at < ?", [before])
    rows = db.execute(f"SELECT {DRAFT} FROM drafts WHERE at = 0 ORDER BY id")
    return [loaded_draft(*row) for row in rows.fetchall()]


def gone(db: Database, number: int) -> None:
    """The file of a draft is gone."""
    db.execute("DELETE FROM drafts WHERE id = ?", [number])


def forget(db: Database, person: str) -> None:
    """Forget what a person was preparing, and who made a dataset."""
    db.execute("UPDATE drafts SET at = 0, person = '' WHERE person = ?", [person])
    db.execute(
        "UPDATE datasets SET facts = json_set(facts, '$.person', '') "
        "WHERE json_extract(facts, '$.person') = ?",
        [person],
    )


def put(db: Database, dataset: Dataset, number: int = 0) -> Dataset:
    """Keep a dataset, under a name that no other has; the draft that it was made from is dealt
    with."""
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
