"""Lists, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

from bot.local.api.errors import Refused

T = TypeVar("T")
After = Annotated[str, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=100)]


def page(
    found: Sequence[T], id_of: Callable[[T], str], after: str, limit: int
) -> tuple[list[T], bool]:
    """What comes after the one of an id, and whether there is more. Raises Refused."""
    ids = [id_of(each) for each in found]
    if after and after not in ids:
        raise no_place(after)
    begin = ids.index(after) + 1 if after else 0
    return list(found[begin : begin + limit]), len(found) > begin + limit


def no_place(after: str) -> Refused:
    return Refused(400, f"after: there is no {after} in this list.", "invalid_value", "after")


def listed(data: Iterable[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """A page as it goes out."""
    return {"object": "list", "data": [*data], "has_more": has_more}
