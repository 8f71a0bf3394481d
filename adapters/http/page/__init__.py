"""The chat page: its files, and what its scripts call under /api/page.

Answers are rendered here (page.markdown) and not in the browser: what a model writes comes to the
page as a list of blocks of HTML that this package alone wrote.
"""

from __future__ import annotations

from fastapi import APIRouter

from adapters.http.exchanges import Exchanges
from adapters.http.page import asking, conversations, files, static
from adapters.http.settings import Settings
from bot.ports import Core


def routes(core: Core, exchanges: Exchanges, settings: Settings) -> APIRouter:
    """The page at /, its files below /page, and its interface below /api/page."""
    router = APIRouter(include_in_schema=False)
    static.add(router)
    conversations.add(router, core, settings)
    asking.add(router, core, exchanges)
    files.add(router, core, settings)
    return router
