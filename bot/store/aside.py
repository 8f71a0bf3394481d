"""What platforms delivered and nobody could read, for whoever looks into it."""

from __future__ import annotations

from sqlite_utils import Database

KEPT_SECONDS = 7 * 86_400
MOST = 100_000  # characters of one


def put(db: Database, adapter: str, raw: str, now: float) -> None:
    """Keep it for a week."""
    db.execute("INSERT INTO aside (adapter, raw, at) VALUES (?, ?, ?)", [adapter, raw[:MOST], now])


def prune(db: Database, now: float) -> None:
    """Delete what is older."""
    db.execute("DELETE FROM aside WHERE at < ?", [now - KEPT_SECONDS])
