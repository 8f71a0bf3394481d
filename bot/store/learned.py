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


def replace_by(db: Database, earlier: str, job: int, profile: Profile, now: float) -> None:
    """A job's profile takes the place of an earlier one; the conversations that chose it follow."""
    db.execute("DELETE FROM learned WHERE name = ?", [earlier])
    learn(db, job, profile, now)
    follow(db, earlier, profile.name)


def follow(db: Database, name: str, to: str) -> None:
    """Have the conversations that chose a profile talk by another one."""
    db.execute("UPDATE conversations SET profile = ? WHERE profile = ?", [to, name])


def job_of(db: Database, name: str) -> int | None:
    """The job that made the model of a profile; None for one of the configuration."""
    found = db.execute("SELECT job FROM learned WHERE name = ?", [name]).fetchone()
    return int(found[0]) if found else None


def newest_of(db: Database, job: int) -> str:
    """The name of the profile that a job got last; "" for none."""
    found = db.execute(
        "SELECT name FROM learned WHERE job = ? ORDER BY at DESC, name DESC LIMIT 1", [job]
    ).fetchone()
    return str(found[0]) if found else ""


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
    follow(db, profile.name, name)
    return renamed
