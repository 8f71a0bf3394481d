"""/v1/models"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from bot.errors import LocalUnavailable
from bot.local.api.errors import Refused
from bot.local.jobs.database import Database
from bot.local.jobs.values import TunedModel
from bot.local.served import Served


def add(router: APIRouter, database: Database, served: Served, model: str, created: int) -> None:
    """List the model that is served and those that were made from it; delete the latter."""
    itself = {"id": model, "object": "model", "created": created, "owned_by": "local"}

    @router.get("/models")
    def models() -> dict[str, Any]:
        with database.look() as tables:
            tuned = tables.models(model)
        return {"object": "list", "data": [itself, *map(shown, tuned)]}

    @router.get("/models/{name:path}")
    def one(name: str) -> dict[str, Any]:
        return itself if name == model else shown(found(database, model, name))

    @router.delete("/models/{name:path}")
    async def delete(name: str) -> dict[str, Any]:
        if name == model:
            raise Refused(
                403, "The base model cannot be deleted: `tunebot local remove` does that."
            )
        adapters = await run_in_threadpool(forget, name)
        with suppress(LocalUnavailable):  # what stays loaded has no name any more
            await served.forget(*adapters)
        for adapter in adapters:
            await run_in_threadpool(discard, Path(adapter))
        return {"id": name, "object": "model", "deleted": True}

    def forget(name: str) -> list[str]:
        """The adapters of a model that is no more, and of the checkpoints on the way to it, as far
        as no other model needs them.
        """
        tuned = found(database, model, name)
        with database.transaction() as tables:
            gone = [tuned] if tuned.step else [tuned, *tables.checkpoints(tuned.job)]
            for each in gone:
                tables.delete_model(each.name)
            needed = {each.adapter for each in tables.models(model)}
        return sorted({each.adapter for each in gone} - needed)


def discard(adapter: Path) -> None:
    """Delete an adapter, which is a file or a folder."""
    if adapter.is_dir():
        shutil.rmtree(adapter, ignore_errors=True)
    else:
        with suppress(OSError):
            adapter.unlink()


def found(database: Database, base: str, name: str) -> TunedModel:
    """A model that was made from a base. Raises Refused."""
    with database.look() as tables:
        tuned = tables.model(name)
    if tuned is None or tuned.base != base:
        said = f"The model `{name}` does not exist or you do not have access to it."
        raise Refused(404, said, "model_not_found", "model")
    return tuned


def shown(model: TunedModel) -> dict[str, Any]:
    return {
        "id": model.name,
        "object": "model",
        "created": model.created_at,
        "owned_by": "local",
    }
