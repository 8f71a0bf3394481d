"""Which files at the services are ours: the same one goes up once."""

from __future__ import annotations

from sqlite_utils import Database


def remember(db: Database, service: str, sha256: str, name: str, file: str) -> None:
    """A file has this id at a service."""
    db.execute(
        "INSERT OR REPLACE INTO uploads (service, sha256, name, file) VALUES (?, ?, ?, ?)",
        [service, sha256, name, file],
    )


def known_as(db: Database, service: str, sha256: str, name: str) -> str:
    """The service's id of a file that went up before, "" for none."""
    found = db.execute(
        "SELECT file FROM uploads WHERE service = ? AND sha256 = ? AND name = ?",
        [service, sha256, name],
    ).fetchone()
    return str(found[0]) if found else ""
