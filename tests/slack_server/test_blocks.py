"""Whatever a bot sends as blocks or a view, it is taken or refused; nothing breaks the server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.slack_server import SlackServer, blocks
from tests.slack_server.values import Refused

TEXT = {"type": "mrkdwn", "text": "x"}
PLAIN = {"type": "plain_text", "text": "x"}
OPTION = {"text": PLAIN, "value": "1"}
BUTTON = {"type": "button", "action_id": "b", "text": PLAIN, "value": "1"}
SELECT = {"type": "static_select", "action_id": "s", "options": [OPTION]}
SECTION = {"type": "section", "text": TEXT, "fields": [TEXT], "accessory": SELECT}
EACH = {
    "section": SECTION,
    "actions": {"type": "actions", "elements": [BUTTON, SELECT]},
    "context": {"type": "context", "elements": [TEXT]},
    "header": {"type": "header", "text": PLAIN, "block_id": "h"},
    "markdown": {"type": "markdown", "text": "x"},
    "input": {"type": "input", "label": PLAIN, "element": SELECT},
    "divider": {"type": "divider"},
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(("type", "text", "elements", "options", "action_id", "fields")), inner
        )
    ),
    max_leaves=5,
)


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a block, except of itself."""
    inner = part.items() if isinstance(part, dict) else enumerate(part)
    return [
        each
        for key, value in inner
        for each in [
            (*path, key),
            *(places(value, (*path, key)) if isinstance(value, dict | list) else ()),
        ]
    ]


def replaced(part: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The same block with something else at one place."""
    if not path:
        return value
    copied = dict(part) if isinstance(part, dict) else list(part)
    copied[path[0]] = replaced(part[path[0]], path[1:], value)
    return copied


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A good block with anything in one place of it."""
    block = draw(st.sampled_from(sorted(EACH)))
    return replaced(EACH[block], draw(st.sampled_from(places(EACH[block]))), draw(ANYTHING))


@pytest.mark.parametrize("name", sorted(EACH))
def test_good_block_is_taken(name: str) -> None:
    server = SlackServer()
    assert blocks.checked(server, [EACH[name]]) == [EACH[name]]


@pytest.mark.parametrize("described", [True, False])
@given(given=st.lists(spoiled() | ANYTHING, max_size=3) | ANYTHING)
def test_anything_is_taken_or_refused(described: bool, given: Any) -> None:
    server = SlackServer()
    with pytest.MonkeyPatch.context() as patch:
        if not described:
            patch.setattr(blocks, "block_schemas", lambda: None)
        for take in (
            lambda: blocks.checked(server, given),
            lambda: blocks.checked_view(
                server, {"type": "modal", "title": PLAIN, "blocks": given}, "modal"
            ),
        ):
            noted = len(server.violations)
            try:
                take()
            except Refused:
                noted += 1
            assert len(server.violations) == noted
