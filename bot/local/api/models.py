"""/v1/models"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from bot.local.api.errors import Refused
from bot.local.generations import Generations
from bot.local.jobs.database import Database
from bot.local.jobs.values import TunedModel


def add(
    router: APIRouter, database: Database, generations: Generations, model: str, created: int
) -> None:
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
        tuned, needed = await run_in_threadpool(forget, name)
        if not needed:
            await generations.forget(tuned.adapter)
            with suppress(OSError):
                await run_in_threadpool(Path(tuned.adapter).unlink)
        return {"id": name, "object": "model", "deleted": True}

    def forget(name: str) -> tuple[TunedModel, bool]:
        """A model that is no more, and whether another one needs its adapter."""
        tuned = found(database, model, name)
        with database.transaction() as tables:
            tables.delete_model(name)
            needed = any(each.adapter == tuned.adapter for each in tables.models(model))
        return tuned, needed


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
