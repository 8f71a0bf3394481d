"""The conversations of a visitor: their list, what was said, and what people think of it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from adapters.http.errors import Refusal
from adapters.http.exchanges import NAME
from adapters.http.page.history import Item, shown
from adapters.http.page.markdown import rendered
from adapters.http.page.visitor import Where, Who
from adapters.http.settings import Settings
from bot.messages import Role
from bot.ports import Core

LARGEST = 2**62


class Opinion(BaseModel, extra="forbid"):
    """What somebody thinks of the answer of that key; 0 takes it back."""

    key: Annotated[str, Field(pattern=r"^turn-[0-9]{1,18}$")]
    value: Literal[-1, 0, 1]


def add(router: APIRouter, core: Core, settings: Settings) -> None:
    """GET start, GET conversations, and GET, DELETE and feedback of one."""

    @router.get("/api/page/start")
    async def start() -> dict[str, Any]:
        """What the page must know before anything is said."""
        return {
            "greeting": core.greeting,
            "commands": [
                {"name": each.name, "arguments": each.arguments, "summary": each.summary}
                for each in core.commands
            ],
            "models": [{"name": each.name, "model": each.model} for each in core.profiles],
            "max_upload": settings.max_upload,
        }

    @router.get("/api/page/conversations")
    async def conversations(who: Who) -> list[dict[str, Any]]:
        """All of this visitor, newest first."""
        return [
            {"id": each.conversation.thread, "title": each.title, "at": each.at}
            for each in await core.conversations(NAME, who.channel)
        ]

    @router.get("/api/page/conversations/{name}")
    async def history(
        where: Where, before: Annotated[int, Query(ge=0, le=LARGEST)] = 0
    ) -> dict[str, Any]:
        """What was said, oldest first. `before` is what the last page gave as `earlier`, which is 0
        where nothing is.
        """
        items, earlier = await shown(core, where, before)
        turns = []
        for item in items:
            turns.append(described(item))
            await asyncio.sleep(0)  # rendering takes a while: others go in between
        return {"turns": turns, "earlier": earlier, "model": (await core.chosen(where)).name}

    @router.delete("/api/page/conversations/{name}", status_code=204)
    async def delete(where: Where) -> None:
        """Delete it."""
        await core.delete(where)

    @router.post("/api/page/conversations/{name}/feedback", status_code=204)
    async def feedback(where: Where, who: Who, opinion: Opinion) -> None:
        """Note what the visitor thinks of an answer."""
        if not await core.feedback(
            where.adapter, where.channel, opinion.key, who.person, opinion.value
        ):
            raise Refusal(404, "There is no such answer any more.", field="key")


def described(item: Item) -> dict[str, Any]:
    """An item as the page's scripts read it: questions are text, answers have their HTML, too."""
    turn = item.turn
    common = {"role": turn.role.value, "text": turn.text}
    if turn.role is Role.USER:
        files = [{"name": each.name, "size": each.size} for each in turn.attachments]
        return {**common, "files": files}
    return {
        **common,
        "key": item.key,
        "ending": turn.ending.value,
        "feedback": turn.feedback,
        "html": rendered(turn.text),
    }
