"""The profiles of the models that jobs made."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from sqlite_utils import Database

from bot.messages import Profile


def learn(db: Database, job: int, profile: Profile, now: float) -> None:
    """Keep the profile of a model that a job made."""
    db.execute(
        "INSERT OR REPLACE INTO learned (name, profile, job, at) VALUES (?, ?, ?, ?)",
        [profile.name, json.dumps(asdict(profile), ensure_ascii=False), job, now],
    )


def unlearn(db: Database, model: str) -> list[str]:
    """Forget the profiles of a model; returns their names."""
    gone = [profile.name for profile in learned(db) if profile.model == model]
    db.conn.executemany("DELETE FROM learned WHERE name = ?", [(name,) for name in gone])
    return gone


def learned(db: Database) -> list[Profile]:
    """The profiles of all models that jobs made, oldest first."""
    rows = db.execute("SELECT profile FROM learned ORDER BY at, name")
    found = [json.loads(profile) for (profile,) in rows.fetchall()]
    return [Profile(**{**values, "stop": tuple(values["stop"])}) for values in found]


def rename(db: Database, profile: Profile, name: str) -> Profile:
    """Give a profile another name; the conversations that chose it follow."""
    renamed = replace(profile, name=name)
    db.execute(
        "UPDATE learned SET name = ?, profile = ? WHERE name = ?",
        [name, json.dumps(asdict(renamed), ensure_ascii=False), profile.name],
    )
    db.execute("UPDATE conversations SET profile = ? WHERE profile = ?", [name, profile.name])
    return renamed
