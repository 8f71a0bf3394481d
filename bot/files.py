"""The files that people sent, on disk for as long as a message or a turn has them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from bot.ports import Clock
from bot.store import Store, attachments

LEFT_SECONDS = 86_400.0  # that a file may wait for its message: a page uploads before it sends

log = structlog.get_logger()


class Files:
    """The folder that adapters put them into."""

    def __init__(self, folder: Path, store: Store, clock: Clock) -> None:
        self.folder = folder
        self._store = store
        self._clock = clock

    def open(self) -> None:
        """Make the folder, readable by its owner only. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def kept(self) -> set[str]:
        """The paths of all files that a message or a turn has."""
        return await self._store.insist(attachments.paths)

    async def sweep(self) -> None:
        """Delete what is older than a day and not kept. Raises OSError."""
        kept, oldest = await self.kept(), self._clock.now() - LEFT_SECONDS
        files = await asyncio.to_thread(older, self.folder, oldest)
        await self.delete(files - kept)

    async def delete(self, paths: set[str]) -> None:
        """Delete files, as far as they are there."""
        for path in paths:
            await asyncio.to_thread(Path(path).unlink, missing_ok=True)
        if paths:
            log.info("files deleted", files=len(paths))


def older(folder: Path, oldest: float) -> set[str]:
    """The paths of the files in a folder that were changed before a Unix time."""
    return {str(file) for file in folder.iterdir() if file.stat().st_mtime < oldest}
