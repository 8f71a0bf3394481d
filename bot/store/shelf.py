"""What platforms delivered, as it came: committed before it is read, gone once it is dealt with.

What nobody could read is set aside, for whoever looks into it. It may be anybody's: whoever says
/forget has all of it deleted. What waits to be read becomes a message soon, and is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from sqlite_utils import Database

from bot.messages import RawEvent
from bot.store.seen import first_seen

KEPT_SECONDS = 7 * 86_400
MOST_ASIDE = 100_000  # characters of one


def put(
    db: Database, adapter: str, events: Sequence[tuple[str, str]], now: float
) -> list[RawEvent | None]:
    """Put those on the shelf whose key is new; None stands for the others."""
    return [put_one(db, adapter, key, raw, now) for key, raw in events]


def put_one(db: Database, adapter: str, key: str, raw: str, now: float) -> RawEvent | None:
    """Put one on the shelf if it is new."""
    if not first_seen(db, adapter, [key] if key else [], now):
        return None
    new = db.execute("INSERT INTO shelf (adapter, raw, at) VALUES (?, ?, ?)", [adapter, raw, now])
    return RawEvent(int(new.lastrowid or 0), raw)


def left(db: Database, adapter: str) -> list[RawEvent]:
    """Everything of an adapter, oldest first."""
    rows = db.execute("SELECT id, raw FROM shelf WHERE adapter = ? ORDER BY id", [adapter])
    return [RawEvent(*row) for row in rows.fetchall()]


def take_down(db: Database, ids: Sequence[int]) -> None:
    """They are dealt with."""
    if ids:
        db.conn.executemany("DELETE FROM shelf WHERE id = ?", [(id_,) for id_ in ids])


def set_aside(db: Database, id_: int, now: float) -> None:
    """Keep one that cannot be read for a week."""
    db.execute(
        "INSERT INTO aside (adapter, raw, at) "
        "SELECT adapter, substr(raw, 1, ?), ? FROM shelf WHERE id = ?",
        [MOST_ASIDE, now, id_],
    )
    take_down(db, [id_])


def forget(db: Database) -> None:
    """Delete what was set aside."""
    db.execute("DELETE FROM aside")


def prune(db: Database, now: float, adapters: Collection[str]) -> None:
    """Delete what is older than a week: what was set aside, and what was left by adapters that do
    not run any more. These do, and read theirs however old it is.
    """
    oldest = now - KEPT_SECONDS
    db.execute("DELETE FROM aside WHERE at < ?", [oldest])
    db.execute(
        "DELETE FROM shelf WHERE at < ? AND adapter NOT IN (SELECT value FROM json_each(?))",
        [oldest, json.dumps(list(adapters))],
    )
